// How far this tablet's clock is from the server's: measured whenever the server tells its time, kept for times off line.

import { keep, recall } from "./store.js";

const KEY = "clock";

export class Clock {
  #skew = 0; // milliseconds that this tablet is ahead
  #measured = null; // {at: this tablet's time, since: performance.now()} of the last measurement

  /** Take up what was measured before this page. */
  async load() {
    const kept = await recall(KEY);
    if (!kept || this.#measured) return;
    this.#skew = kept.skew_ms;
    this.#measured = { at: kept.at, since: null };
  }

  /** The server said `now` to a question asked at `asked` (milliseconds here): half of the way was the way back. */
  measure(now, asked) {
    const at = Date.now();
    this.#skew = asked + (at - asked) / 2 - Date.parse(now);
    this.#measured = { at, since: performance.now() };
    keep(KEY, { skew_ms: this.#skew, at }).catch(() => {}); // without a store it is measured again at the next answer
  }

  get isMeasured() {
    return this.#measured !== null;
  }

  /**
   * Seconds that this tablet is ahead of the server (behind: negative). A clock that was turned back since the measurement shows:
   * time here is earlier than it has already been.
   */
  get skewSeconds() {
    if (!this.#measured) return 0;
    const { at, since } = this.#measured;
    const least = since === null ? at : at + (performance.now() - since);
    return Math.round((this.#skew + Math.min(0, Date.now() - least)) / 1000);
  }

  /** The server's time as well as it is known here, in milliseconds. */
  get now() {
    return Date.now() - this.skewSeconds * 1000;
  }
}
