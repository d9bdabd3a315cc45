/**
 * The door's answer in five forms: colour, shape, words, tone and vibration. A live region is for screen readers.
 *
 * @typedef {"green" | "red" | "amber" | "blue"} Light
 */
import { find } from "./page.js";

const SHOWN_MS = 1500;
/** Amber is shown longer, because staff must read words. */
const AMBER_MS = 4000;

/** Frequencies in hertz, one after another, and seconds of each: rising for yes, low for no, constant for the others. */
const TONES = /** @type {const} */ ({ green: [[880, 1320], 0.12], red: [[220, 165], 0.28], amber: [[520, 520], 0.16], blue: [[660, 660], 0.08] });
/** Milliseconds of vibration and pause. @type {Record<Light, number[]>} */
const SHAKES = { green: [80], red: [250, 120, 250], amber: [120, 90, 120, 90, 120], blue: [60, 60, 60] };

export class Signal {
  /** @param {() => boolean} isSilent */
  constructor(isSilent) {
    this.isSilent = isSilent;
    /** @type {AudioContext | null} */
    this.audio = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.element = find("[data-signal]");
    // Browsers allow sound only after a user gesture.
    for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, () => this.wake(), { passive: true });
  }

  wake() {
    this.audio ??= new AudioContext();
    if (this.audio.state === "suspended") void this.audio.resume().catch(() => undefined);
  }

  /** @param {Light} light @param {string} word name of the text of the page that explains it */
  show(light, word) {
    clearTimeout(this.timer);
    this.element.dataset.signal = light;
    for (const part of this.element.querySelectorAll("[data-for]")) {
      /** @type {HTMLElement | SVGElement} */ (part).toggleAttribute("hidden", /** @type {HTMLElement} */ (part).dataset.for !== word);
    }
    for (const shape of this.element.querySelectorAll("svg")) shape.toggleAttribute("hidden", shape.dataset.light !== light);
    this.element.hidden = false;
    // The region is outside hidden content; clearing it first makes screen readers read equal answers twice.
    const spoken = find("[data-spoken]");
    spoken.textContent = "";
    spoken.textContent = Array.from(this.element.querySelectorAll(`[data-for="${word}"]`), (part) => part.textContent).join(" ");
    this.sound(light);
    if (!this.isSilent()) navigator.vibrate?.(SHAKES[light]);
    this.timer = setTimeout(() => this.clear(), light === "amber" ? AMBER_MS : SHOWN_MS);
  }

  clear() {
    clearTimeout(this.timer);
    this.element.hidden = true;
  }

  /** @param {Light} light */
  sound(light) {
    if (this.isSilent() || this.audio?.state !== "running") return;
    const [tones, length] = TONES[light];
    const start = this.audio.currentTime;
    for (const [at, frequency] of tones.entries()) {
      const tone = this.audio.createOscillator();
      const volume = this.audio.createGain();
      tone.type = light === "red" ? "square" : "sine";
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.25, start + at * length);
      volume.gain.exponentialRampToValueAtTime(0.001, start + (at + 1) * length);
      tone.connect(volume).connect(this.audio.destination);
      tone.start(start + at * length);
      tone.stop(start + (at + 1) * length);
    }
  }
}
