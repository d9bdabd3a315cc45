/**
 * The kiosk's clock, corrected by the server's, and whether it can be trusted.
 *
 * The correction is taken when a bundle arrives. A clock that was moved since shows itself in one of two ways: it
 * stands before the moment at which the bundle was signed, or, while the page lives, it ran apart from the timer that
 * nobody can set.
 */

/** A clock may drift so far from the timer before the kiosk says that it cannot check. Half a slot keeps codes good. */
const LARGEST_JUMP_S = 30;

export class DoorClock {
  /**
   * @param {object} source
   * @param {() => number} source.wallMs  the device's clock, Unix milliseconds (`Date.now`)
   * @param {() => number} source.timerMs a timer that only runs forward (`performance.now`)
   * @param {number} [source.offsetS] correction kept from before
   */
  constructor({ wallMs, timerMs, offsetS = 0 }) {
    this.wallMs = wallMs;
    this.timerMs = timerMs;
    this.offsetS = offsetS;
    this.started = { wall: wallMs(), timer: timerMs() };
  }

  /**
   * @param {number} serverTime whole Unix seconds of the server, just now: it cut half a second on average, which is
   *   less than a correction can know, so a difference within that second is none
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
    // A device that slept stops the timer in some browsers: a clock that ran ahead of the timer while asleep is right
    // about as often as it was set, so only the bundle's own lifetime bounds it. A clock that fell behind was set.
    return wall - timer > -LARGEST_JUMP_S * 1000 && this.now() >= notBefore - LARGEST_JUMP_S;
  }
}
