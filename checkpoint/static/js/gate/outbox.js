// Everything that the tablet must tell the server: written down first, sent in order, sent again until the server answers.
// Each entry carries the tablet's own UUID, so that the server counts it once however often it arrives.

import { append, drop, entries } from "./store.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

/** Answers that say nothing about the entry itself: no network, a timeout, too fast, a server in trouble. */
const passing = (status) => status === 0 || status === 408 || status === 425 || status === 429 || status >= 500;

/**
 * Events: `waiting` {entry, attempt} before another attempt, `sent` {entry, answer}, `refused` {entry, problem},
 * `revoked` {} when the token is no longer taken, `count` {count} whenever the number of unsent entries changes.
 */
export class Outbox extends EventTarget {
  #send;
  #queue = [];
  #running = false;
  #stopped = false;
  #wake = () => {};

  /** `send(entry)` resolves to the answer or rejects with an ApiProblem. */
  constructor(send) {
    super();
    this.#send = send;
    window.addEventListener("online", () => this.hurry());
  }

  get count() {
    return this.#queue.length;
  }

  /** Take up what an earlier page left behind; resolves to those entries. */
  async restore() {
    this.#queue = await entries();
    this.#tell("count", { count: this.count });
    this.#run();
    return [...this.#queue];
  }

  /** Write an entry `{id, kind, path, body, …}` down; it is on disk when this resolves, and on its way. */
  async add(entry) {
    const position = await append(entry);
    this.#queue.push({ ...entry, position });
    this.#tell("count", { count: this.count });
    this.#run();
  }

  /** Give up on the entries with this id; the server may have seen them all the same. */
  async abandon(id) {
    for (const entry of this.#queue.filter((one) => one.id === id)) await this.#remove(entry);
    this.hurry();
  }

  /** Try again now instead of waiting. */
  hurry() {
    this.#wake();
  }

  /** Send nothing more: another tab took over, or the token has ended. */
  stop() {
    this.#stopped = true;
    this.#queue = [];
    this.hurry();
  }

  async #run() {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    let attempt = 1;
    while (this.#queue.length && !this.#stopped) {
      const entry = this.#queue[0];
      const done = await this.#deliver(entry, attempt);
      if (done || this.#queue[0] !== entry) {
        attempt = 1;
        continue;
      }
      attempt += 1;
      this.#tell("waiting", { entry, attempt });
      await this.#pause(attempt);
    }
    this.#running = false;
  }

  /** Whether the entry is settled, one way or the other. */
  async #deliver(entry, attempt) {
    let answer;
    try {
      answer = await this.#send(entry, attempt);
    } catch (problem) {
      if (passing(problem.status ?? 0)) return false;
      if (problem.status === 401) {
        this.#stopped = true;
        this.#tell("revoked", {});
        return true;
      }
      await this.#remove(entry);
      this.#tell("refused", { entry, problem });
      return true;
    }
    const waited = this.#queue.includes(entry);
    await this.#remove(entry);
    if (waited) this.#tell("sent", { entry, answer });
    return true;
  }

  async #remove(entry) {
    this.#queue = this.#queue.filter((one) => one !== entry);
    await drop(entry.position);
    this.#tell("count", { count: this.count });
  }

  #pause(attempt) {
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 2));
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longest * (0.75 + Math.random() / 2));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
