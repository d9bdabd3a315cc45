/**
 * The lights that this door showed today, for the staff at the screen: only in memory, never stored or sent.
 *
 * @typedef {"green" | "red" | "amber" | "blue"} Light
 * @typedef {import("./decide.js").ScanType} ScanType
 */
const LAST = 5;

export class Tally {
  constructor() {
    this.day = "";
    this.counts = { in: 0, out: 0, red: 0 };
    /** The last lights, newest first. @type {{light: Light, at: number}[]} */
    this.last = [];
  }

  /** Forget the lights of another day. @param {string} day its local date */
  begin(day) {
    if (day !== this.day) Object.assign(this, new Tally(), { day });
  }

  /** @param {Light} light @param {ScanType} type @param {number} at Unix seconds @param {string} day its local date */
  add(light, type, at, day) {
    this.begin(day);
    if (light === "green") this.counts[type === "Checkin" ? "in" : "out"] += 1;
    if (light === "red") this.counts.red += 1;
    this.last = [{ light, at }, ...this.last].slice(0, LAST);
  }
}
