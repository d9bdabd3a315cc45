/** My data: export, erasure with a receipt, change of the key, wiping this device. */
import { Unreachable, request } from "../../../../passes/frontend/core/api.js";
import { ownerOf, ownersOf } from "../../../../passes/frontend/core/owners.js";
import { fingerprintOf, pinOfToday } from "../../../../passes/frontend/core/ticket_keys.js";
import { deleteRow } from "../../../../passes/frontend/core/visitor_row.js";
import { openVisitorStore } from "../../../../passes/frontend/stores/visitor.js";
import { saveJson } from "../../../../passes/frontend/ui/download.js";
import { copyOf, fill, fillPart, find, formatNumber, formatTime, onActions, pageData, showState, when, word, words } from "../../../../passes/frontend/ui/page.js";
import { shownName } from "../../../../passes/frontend/ui/place_name.js";
import { takeAnotherKey } from "../core/keys.js";

/**
 * @typedef {import("../../../../passes/frontend/stores/visitor.js").KeptPass} KeptPass
 * @typedef {import("../../../../passes/frontend/stores/visitor.js").Receipt} Receipt
 * @typedef {{id: string, status: "queued" | "running" | "done" | "failed" | "cancelled",
 *   database: {passes: number, scans: number, ratings: number},
 *   lake: {rows: number, objects: {name: string, before: number, after: number}[], proven: boolean},
 *   open_tier: string, storage: string, finished_at: string | null}} Erasure
 */

const POLL_MS = 2000;
const DAY = /** @type {const} */ ({ weekday: "short", day: "numeric", month: "short" });

/** @type {import("../../../../passes/frontend/stores/visitor.js").VisitorStore} */
let store;
/** @type {import("../../../../passes/frontend/stores/visitor.js").Person} */
let person;
/** @type {KeptPass[]} */
let listed = [];
/** The displayed receipt, and the last response of the server about it. @type {{id: string, answer: Erasure | null} | null} */
let shown = null;

const form = /** @type {HTMLFormElement} */ (find("[data-form=erase]"));

/** Run an action that sends requests to the server. @param {() => Promise<unknown>} action */
async function connected(action) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    showState("offline");
  }
}

async function home() {
  shown = null;
  fill("label", person.label);
  when("labelled", person.label !== "");
  const receipts = await store.receipts(person.id);
  when("receipts", receipts.length > 0);
  const rows = receipts.map((receipt) => {
    const row = copyOf("[data-row=receipt]");
    fillPart(row, "when", formatTime(receipt.askedAt, { ...DAY, hour: "numeric", minute: "2-digit" }));
    /** @type {HTMLElement} */ (row.querySelector("button")).dataset.receipt = receipt.id;
    return row;
  });
  find("[data-receipts]").replaceChildren(...rows);
  void showTickets();
  showState("shown", { focus: document.documentElement.dataset.shown !== undefined });
}

async function showTickets() {
  const nowS = Date.now() / 1000;
  const [sets, pins] = await Promise.all([store.ticketSets(person.id), store.pins()]);
  const good = sets.filter(({ signatures, epoch }) => signatures && epoch.end > nowS);
  const last = good.at(-1);
  const days = good.length === 1 ? word("one-day") : words("many-days", { count: good.length });
  const held = last ? words("tickets-until", { days, last: formatTime(last.epoch.start + 12 * 3600, DAY) }) : word("tickets-none");
  fill("tickets", person.rests ? `${held} ${word("tickets-rest")}` : held);
  const second = pins.filter((pin) => pin.second).map(({ epoch }) => formatTime(epoch.start + 12 * 3600, DAY));
  fill("second-keys", second.join("; "));
  when("second-keys", second.length > 0);
  const pin = pinOfToday(pins, nowS);
  const fingerprint = pin ? await fingerprintOf(pin) : null;
  fill("fingerprint", fingerprint ?? "");
  when("fingerprint", fingerprint !== null);
}

async function exportAll() {
  const passes = await store.passes(person.id);
  const profile = await store.profile(person.id);
  const owners = await ownersOf(person, pageData("epochs"), passes);
  const { status, body } = await request("POST", "/api/v1/shield", { body: { owners, profile } });
  saveJson("crowdtrace-data.json", {
    saved: new Date().toISOString(),
    name_on_this_device: person.label,
    profile,
    passes: passes.map(({ epoch, venue, credential, rated, named, erased, withdrawn, inAt, outAt }) => ({
      day: epoch.date,
      venue,
      credential,
      rated: rated ?? null,
      name_shown: named ?? null,
      erased: erased ?? false,
      withdrawn: withdrawn ?? null,
      noted_in: inAt ?? null,
      noted_out: outAt ?? null,
    })),
    favourites: await store.favourites(person.id),
    tickets_for: (await store.ticketSets(person.id)).flatMap(({ epoch, signatures }) => (signatures ? [epoch.date] : [])),
    receipts: await store.receipts(person.id),
    server: status === 200 ? body : null,
  });
  fill("export-note", word("exported"));
}

async function chooseErase() {
  const epochs = new Set(pageData("epochs").map((/** @type {{start: number}} */ { start }) => start));
  listed = (await store.passes(person.id)).filter((pass) => !pass.erased && epochs.has(pass.epochStart));
  const rows = listed.map((pass, at) => {
    const row = copyOf("[data-row=pass]");
    fillPart(row, "text", `${shownName(pass.venue)}, ${formatTime(pass.epoch.start + 12 * 3600, DAY)}`);
    /** @type {HTMLInputElement} */ (row.querySelector("input")).value = String(at);
    return row;
  });
  find("[data-passes]").replaceChildren(...rows);
  form.reset();
  when("some", false);
  fill("erase-note", "");
  showState("erase");
}

async function erase() {
  const chosen = new FormData(form);
  const all = chosen.get("what") === "all";
  const passes = all ? listed : chosen.getAll("pass").flatMap((at) => listed[Number(at)] ?? []);
  if (!all && passes.length === 0) return fill("erase-note", word("choose-some"));
  const owners = all ? await ownersOf(person, pageData("epochs"), listed) : await Promise.all(passes.map((pass) => ownerOf(person, pass)));
  const { status, body } = await request("POST", "/api/v1/erasures", { body: { owners } });
  if (status !== 202) return showState("failed");
  await store.addReceipt({ id: body.id, person: person.id, askedAt: Math.floor(Date.now() / 1000), passes: passes.length });
  // The index of the book stays used: if drawn again, its pass would be the erased one.
  for (const pass of passes) await store.savePass({ ...pass, credential: null, erased: true });
  if (chosen.get("visitor") === "on" && (await deleteRow(person))) {
    // Drawing tickets ahead would recreate the row without the holder's knowledge, so it waits for the next check-in.
    person = { ...person, registered: false, rests: true };
    await store.savePerson(person);
  }
  return showReceipt(body.id);
}

/** @param {string} id */
async function showReceipt(id) {
  shown = { id, answer: null };
  fill("receipt-id", id);
  fill("receipt-status", "");
  for (const name of ["working", "counted", "queued"]) when(name, false);
  showState("receipt");
  await follow(shown);
}

/** Poll until the erasure has ended or another page is shown. @param {{id: string, answer: Erasure | null}} receipt */
async function follow(receipt) {
  while (shown === receipt) {
    const { status, body } = await request("GET", `/api/v1/erasures/${receipt.id}`);
    if (shown !== receipt) return;
    if (status === 404) return fill("receipt-status", word("status-unknown"));
    if (status === 200) showAnswer((receipt.answer = body));
    if (status === 200 && body.finished_at !== null) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** @param {Erasure} answer */
function showAnswer({ status, database, lake, open_tier: openTier, storage }) {
  fill("receipt-status", word(`status-${status}`));
  when("working", status === "queued" || status === "running");
  when("queued", status === "queued");
  when("counted", status === "done");
  if (status !== "done") return;
  for (const [name, count] of Object.entries({ ...database, rows: lake.rows, objects: lake.objects.length })) fill(`count-${name}`, formatNumber(count, 0));
  fill("proven", word(lake.proven ? "yes" : "no"));
  fill("open-tier", openTier);
  fill("storage", storage);
}

async function cancel() {
  if (!shown) return;
  await request("DELETE", `/api/v1/erasures/${shown.id}`);
  await showReceipt(shown.id);
}

async function wipe() {
  await store.wipe();
  store.database.close();
  for (const name of (await globalThis.caches?.keys()) ?? []) await caches.delete(name);
  const worker = await navigator.serviceWorker?.getRegistration();
  await worker?.unregister();
  showState("wiped");
}

onActions({
  home,
  export: () => connected(exportAll),
  "choose-erase": chooseErase,
  receipt: (button) => connected(() => showReceipt(button.dataset.receipt ?? "")),
  "save-receipt": () => saveJson("crowdtrace-receipt.json", shown?.answer ?? { id: shown?.id }),
  cancel: () => connected(cancel),
  "ask-rotate": () => showState("rotate"),
  rotate: () =>
    connected(async () => {
      if (await takeAnotherKey(store, person)) location.assign("/me#keep");
      else showState("failed");
    }),
  "ask-wipe": () => {
    when("unkept", !person.kept);
    showState("wipe");
  },
  wipe,
});

form.addEventListener("change", () => when("some", new FormData(form).get("what") === "some"));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void connected(erase);
});

const opened = await openVisitorStore().catch(() => null);
const current = await opened?.current().catch(() => null);
if (!opened) showState("unable");
else if (!current) showState("no-key", { focus: false });
else {
  store = opened;
  person = current;
  await home();
}
