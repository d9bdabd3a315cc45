/**
 * The kiosk's clock, corrected by the server's, and whether it can be trusted.
 *
 * The correction is computed when a bundle arrives. A clock that was set since then is detected in one of two ways: it
 * is before the moment at which the bundle was signed, or, while the page is loaded, it differs from the monotonic timer,
 * which nobody can set.
 */

/** Largest drift from the timer with which the kiosk still checks. Half a slot keeps codes valid. */
const LARGEST_JUMP_S = 30;

export class DoorClock {
  /**
   * @param {object} source
   * @param {() => number} source.wallMs  the device's clock, Unix milliseconds (`Date.now`)
   * @param {() => number} source.timerMs a monotonic timer (`performance.now`)
   * @param {number} [source.offsetS] stored correction
   */
  constructor({ wallMs, timerMs, offsetS = 0 }) {
    this.wallMs = wallMs;
    this.timerMs = timerMs;
    this.offsetS = offsetS;
    this.started = { wall: wallMs(), timer: timerMs() };
  }

  /**
   * @param {number} serverTime present time of the server in whole Unix seconds: truncation loses half a second on average,
   *   less than the precision of a correction, so a difference within that second is ignored
   */
  correct(serverTime) {
    this.started = { wall: this.wallMs(), timer: this.timerMs() };
    const behind = serverTime - this.started.wall / 1000;
    this.offsetS = behind > -1 && behind <= 0 ? 0 : behind + 0.5;
  }

  /** @returns {number} Unix seconds */
  now() {
    return this.wallMs() / 1000 + this.offsetS;
  }

  /**
   * @param {number} notBefore Unix seconds that have certainly passed
   * @returns {boolean}
   */
  isTrusted(notBefore) {
    const wall = this.wallMs() - this.started.wall;
    const timer = this.timerMs() - this.started.timer;
    // Some browsers stop the timer while the device sleeps, so a clock ahead of the timer may be right or may have been
    // set: only the bundle's lifetime limits it. A clock behind the timer was set.
    return wall - timer > -LARGEST_JUMP_S * 1000 && this.now() >= notBefore - LARGEST_JUMP_S;
  }
}
