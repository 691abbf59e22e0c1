// Whether the server is there, whether it still trusts this tablet, and what is not sent yet. Asks every half minute.

import { say, part } from "./words.js";

const EVERY_MS = 30_000;

/** Events: `device` {checkpoint, label} at each answer, `revoked` {}, `untrusted` {} when the token is not taken, `changed` {}. */
export class Link extends EventTarget {
  #client;
  #clock;
  #snapshot;
  #place = part("link");
  #reached = null;
  #unsent = 0;
  #timer = 0;
  #stopped = false;

  constructor(client, clock, snapshot) {
    super();
    this.#client = client;
    this.#clock = clock;
    this.#snapshot = snapshot;
    window.addEventListener("online", () => this.check());
    window.addEventListener("offline", () => this.reached(false));
    this.#paint();
  }

  /** Ask now, and go on asking: where this tablet stands and what time it is, then what has changed for verdicts. */
  async check() {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const asked = Date.now();
    try {
      const answer = await this.#client.device();
      this.#clock.measure(answer.now, asked);
      this.reached(true);
      this.#tell("device", answer);
      await this.#snapshot.refresh();
    } catch (problem) {
      if (problem.status === 401) {
        this.#tell(problem.isRevoked ? "revoked" : "untrusted");
        return;
      }
      if (!problem.status || problem.status >= 500) this.reached(false);
    }
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.check(), EVERY_MS);
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Another call has told whether the server is there. */
  reached(yes) {
    if (this.#reached === yes) return;
    this.#reached = yes;
    this.#paint();
    this.#tell("changed");
  }

  /** Whether the server is known to be out of reach: then nobody waits for it. */
  get isOff() {
    return this.#reached === false || navigator.onLine === false;
  }

  get unsent() {
    return this.#unsent;
  }

  set unsent(count) {
    this.#unsent = count;
    this.#tell("changed");
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #paint() {
    const state = this.#reached === null ? "checking" : this.#reached ? "online" : "offline";
    this.#place.dataset.state = state;
    const text = say(`link.${state}`);
    if (this.#place.textContent !== text) this.#place.textContent = text;
  }
}
