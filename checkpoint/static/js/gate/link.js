// Whether the server is there, whether it still trusts this tablet, how far the clocks are apart, and what is not sent yet.

import { part, say } from "./words.js";

const EVERY_MS = 30_000;
const SKEW_MINUTES = 5;

/** Events: `device` {checkpoint, label} at each answer, `revoked` {} when the token is no longer taken. */
export class Link extends EventTarget {
  #client;
  #place = part("link");
  #reached = null;
  #unsent = 0;
  #skew = 0;
  #timer = 0;

  constructor(client) {
    super();
    this.#client = client;
    window.addEventListener("online", () => this.check());
    window.addEventListener("offline", () => this.reached(false));
    this.#paint();
  }

  /** Ask now, and go on asking. */
  async check() {
    clearTimeout(this.#timer);
    const asked = Date.now();
    try {
      const answer = await this.#client.device();
      this.#skew = Math.round((asked + (Date.now() - asked) / 2 - Date.parse(answer.now)) / 60_000);
      this.reached(true);
      this.dispatchEvent(new CustomEvent("device", { detail: answer }));
    } catch (problem) {
      if (problem.status === 401) {
        this.dispatchEvent(new CustomEvent("revoked"));
        return;
      }
      this.reached(false);
    }
    this.#timer = setTimeout(() => this.check(), EVERY_MS);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** Another call has told whether the server is there. */
  reached(yes) {
    this.#reached = yes;
    this.#paint();
  }

  set unsent(count) {
    this.#unsent = count;
    this.#paint();
  }

  #paint() {
    const state = this.#reached === null ? "checking" : this.#reached ? "online" : "offline";
    const words = [say(`link.${state}`)];
    if (this.#unsent && state !== "checking") words.push(say("link.sending", { count: this.#unsent }));
    const wrong = Math.abs(this.#skew) >= SKEW_MINUTES;
    if (wrong) words.push(say("link.clock", { minutes: Math.abs(this.#skew) }));
    this.#place.dataset.state = wrong && state === "online" ? "warning" : state;
    const text = words.join(" · ");
    if (this.#place.textContent !== text) this.#place.textContent = text;
  }
}
