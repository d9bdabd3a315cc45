/**
 * The staff's part of the door's page: its lock, the tally of today, and a test of the reader.
 *
 * @typedef {import("../door/tally.js").Light} Light
 * @typedef {import("./staff_lock.js").Pin} Pin
 */
import { PREFIX } from "../core/pass.js";
import { Tally } from "../door/tally.js";
import { PIN } from "../stores/kiosk.js";
import { fill, fillPart, copyOf, find, formatNumber, formatTime, when, word, words } from "./page.js";
import { makePin, onLongPress, opensWith } from "./staff_lock.js";

/** Time after which an open sheet on an unattended device closes. */
const CLOSES_AFTER_MS = 120_000;

const form = (/** @type {string} */ name) => /** @type {HTMLFormElement} */ (find(`[data-form="${name}"]`));

/** @param {number} at Unix seconds @returns {string} the local date */
const dayOf = (at) => formatTime(at, { dateStyle: "short" });

export class StaffSheet {
  /**
   * @param {object} parts
   * @param {import("../stores/kiosk.js").KioskStore} parts.store
   * @param {() => boolean} parts.isAlone whether the device is unattended
   * @param {() => unknown} parts.onOpen
   */
  constructor({ store, isAlone, onOpen }) {
    this.store = store;
    this.isAlone = isAlone;
    this.onOpen = onOpen;
    this.tally = new Tally();
    this.testing = false;
    this.button = find('[data-do="staff"]');
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    onLongPress(this.button, () => void this.held());
    form("pin").addEventListener("submit", (event) => void this.enter(event));
    form("new-pin").addEventListener("submit", (event) => void this.change(event));
    find("#staff").addEventListener("pointerdown", () => this.closeLater());
    find("#staff").addEventListener("keydown", () => this.closeLater());
  }

  /** @returns {Promise<Pin | null>} */
  async pin() {
    return /** @type {Pin | undefined} */ (await this.store.setting(PIN)) ?? null;
  }

  isOpen() {
    return this.button.getAttribute("aria-expanded") === "true";
  }

  /** Handle a short press of the button. */
  async press() {
    if (this.isOpen()) return this.close();
    if (await this.pin()) return this.askPin();
    if (this.isAlone()) return fill("staff-hint", word("hold"));
    return this.open();
  }

  /** Handle a press of one second. */
  async held() {
    if (this.isOpen()) return;
    if (await this.pin()) this.askPin();
    else this.open();
  }

  askPin() {
    when("asks-pin", true);
    form("pin").querySelector("input")?.focus();
  }

  open() {
    fill("staff-hint", "");
    this.button.setAttribute("aria-expanded", "true");
    when("staff", true);
    this.closeLater();
    void this.onOpen();
  }

  close() {
    clearTimeout(this.timer);
    this.testing = false;
    fill("test-note", "");
    this.button.setAttribute("aria-expanded", "false");
    when("staff", false);
    when("asks-pin", false);
  }

  closeLater() {
    clearTimeout(this.timer);
    if (this.isAlone()) this.timer = setTimeout(() => this.close(), CLOSES_AFTER_MS);
  }

  /** @param {Event} event */
  async enter(event) {
    event.preventDefault();
    const pin = await this.pin();
    const typed = String(new FormData(form("pin")).get("pin"));
    form("pin").reset();
    if (pin && !(await opensWith(pin, typed))) return fill("pin-note", word("pin-wrong"));
    fill("pin-note", "");
    when("asks-pin", false);
    return this.open();
  }

  /** @param {Event} event */
  async change(event) {
    event.preventDefault();
    const typed = String(new FormData(form("new-pin")).get("new-pin"));
    form("new-pin").reset();
    await this.store.saveSetting(PIN, typed ? await makePin(typed) : null);
    fill("new-pin-note", word(typed ? "pin-set" : "pin-gone"));
  }

  beginTest() {
    this.testing = true;
    fill("test-note", word("test-begins"));
  }

  /** @param {string} text that was read for the test; it is neither sent nor stored */
  endTest(text) {
    this.testing = false;
    fill("test-note", words(text.startsWith(PREFIX) ? "test-pass" : "test-other", { count: [...text].length }));
  }

  /** @param {Light} light @param {import("../door/decide.js").ScanType} type @param {number} at Unix seconds */
  note(light, type, at) {
    this.tally.add(light, type, at, dayOf(at));
    this.showTally();
  }

  /** At midnight the counts of today begin again. @param {number} at Unix seconds */
  beginDay(at) {
    if (this.tally.day === "" || this.tally.day === dayOf(at)) return;
    this.tally.begin(dayOf(at));
    this.showTally();
  }

  showTally() {
    const { counts } = this.tally;
    fill("today", words("today", { in: formatNumber(counts.in, 0), out: formatNumber(counts.out, 0), red: formatNumber(counts.red, 0) }));
    const rows = this.tally.last.map((one) => {
      const row = copyOf("[data-row=light]");
      row.dataset.light = one.light;
      fillPart(row, "word", word(`light-${one.light}`));
      fillPart(row, "time", formatTime(one.at, { timeStyle: "medium" }));
      return row;
    });
    find("[data-lights]").replaceChildren(...rows);
  }
}
