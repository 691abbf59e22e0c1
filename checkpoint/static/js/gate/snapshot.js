// What an off-line verdict needs, kept on the tablet and renewed from the server: whole at first, then only what has changed.

import { prepareKeys } from "./pass.js";
import { keep, recall } from "./store.js";

const KEY = "snapshot";
const CONFIRMED = "snapshot-confirmed";
const ADDED = ["revoked", "raised", "approvals", "terms"]; // what an answer to `since` adds to; every other part replaces

/** Events: `changed` {} whenever it was renewed or confirmed. */
export class Snapshot extends EventTarget {
  #client;
  #clock;
  #held = null;

  constructor(client, clock) {
    super();
    this.#client = client;
    this.#clock = clock;
  }

  /** What is held, null when this tablet never had one; `now` is the server's time when it was last known to be in force. */
  get current() {
    return this.#held;
  }

  /** Take up what an earlier page kept. */
  async load() {
    const [kept, confirmed] = await Promise.all([recall(KEY), recall(CONFIRMED)]);
    if (!kept || this.#held) return;
    this.#held = confirmed?.version === kept.version ? { ...kept, now: confirmed.now } : kept;
    prepareKeys(this.#held.keys);
    this.#tell();
  }

  /** Ask the server; rejects with ApiProblem when it cannot be reached or refuses. */
  async refresh() {
    const since = this.#held?.version;
    const asked = Date.now();
    const answer = await this.#client.snapshot(since);
    if (answer === null) {
      this.#held = { ...this.#held, now: new Date(this.#clock.now).toISOString() };
      await keep(CONFIRMED, { version: since, now: this.#held.now });
    } else {
      this.#clock.measure(answer.now, asked);
      this.#held = merged(this.#held, answer);
      await keep(KEY, this.#held);
      prepareKeys(this.#held.keys);
    }
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("changed"));
  }
}

/** A snapshot after an answer: whole ones replace, changes are laid over what is held. */
export function merged(held, answer) {
  if (!answer.since || !held || answer.since !== held.version) return answer;
  const next = { ...held, ...answer };
  for (const part of ADDED) next[part] = { ...held[part], ...answer[part] };
  return next;
}
