// Everything that the tablet must tell the server: written down first, sent in order, sent again until the server answers.
// Each entry carries the tablet's own UUID, so that the server counts it once however often it arrives.
// Scans and decisions made off line go together in batches; each of them is acknowledged by itself.

import { entries, write } from "./store.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const HURRY_EVERY_MS = 1500;
const LARGEST_BATCH = 200; // entries: what a bad network can carry in one piece; the server takes 2,000 scans

/** Answers that say nothing about the entry itself: no network, a timeout, too fast, a server in trouble. */
const passing = (status) => status === 0 || status === 408 || status === 425 || status === 429 || status >= 500;
const LATE_MS = 60_000; // a scan or decision this old is told with its own time, as a batch does
const ofScan = (entry) => entry.kind === "scan" || entry.kind === "decision";
const offLine = (entry) => ofScan(entry) && (entry.offline === true || Date.now() - entry.made > LATE_MS);

/** What a batch tells of its entries: one item for each scan, with the decisions on it in order. */
export function batchItems(parcel) {
  const items = new Map();
  for (const entry of parcel) {
    if (!items.has(entry.id)) items.set(entry.id, { ...(entry.scan ?? entry.body), decisions: [] });
    if (entry.kind === "decision") items.get(entry.id).decisions.push({ ...entry.body, decided_at: entry.decided_at });
  }
  return [...items.values()];
}

/**
 * Events: `waiting` {entry, attempt} before another attempt, `sent` {entry, answer, batch}, `refused` {entry, problem} (it
 * stays in the store `refused` until a person has seen it), `revoked` {} when command has ended this tablet's access,
 * `untrusted` {} when the server does not know the token (nothing is lost: sending stops), `count` {count} whenever the number
 * of unsent entries changes.
 */
export class Outbox extends EventTarget {
  #client;
  #post;
  #queue = [];
  #running = false;
  #stopped = false;
  #largest = LARGEST_BATCH;
  #wake = () => {};
  #hurried = 0;

  /**
   * `client.send(entry)` and `client.batch(items)` resolve to the answer or reject with an ApiProblem. `post` is the code of the
   * client's checkpoint: entries of another stay where they are (former.js).
   */
  constructor(client, post) {
    super();
    this.#client = client;
    this.#post = post;
    window.addEventListener("online", () => this.hurry());
  }

  get count() {
    return this.#queue.length;
  }

  /** Whether an entry of this id is still unsent. */
  has(id, kind) {
    return this.#queue.some((entry) => entry.id === id && (!kind || entry.kind === kind));
  }

  /** Take up what an earlier page left behind, before anything is added; resolves to those entries. */
  async restore() {
    this.#queue = (await entries()).filter(({ post }) => (post ?? this.#post) === this.#post);
    this.#tell("count", { count: this.count });
    this.#run();
    return [...this.#queue];
  }

  /**
   * Write an entry `{id, kind, path, body, …}` down, together with other `changes` of the store; all of it is on disk when
   * this resolves, and the entry on its way. What was made off line carries `offline: true`.
   */
  add(entry, changes = []) {
    return this.addAll([entry], changes);
  }

  /** Write several entries down at once, together with other changes: all of them or none. */
  async addAll(list, changes = []) {
    const whole = list.map((entry) => ({ attempts: 0, made: Date.now(), post: this.#post, ...entry }));
    const positions = await write([...whole.map((value) => ({ add: "outbox", value })), ...changes]);
    this.#queue.push(...whole.map((entry, number) => ({ ...entry, position: positions[number] })));
    this.#tell("count", { count: this.count });
    if (this.#running && performance.now() - this.#hurried > HURRY_EVERY_MS) this.hurry();
    this.#run();
  }

  /** Change unsent entries of this id, together with other changes: a scan that got its verdict off line is sent as such. */
  async amend(id, fields, changes = []) {
    const found = this.#queue.filter((one) => one.id === id);
    for (const entry of found) Object.assign(entry, fields);
    await write([...found.map((value) => ({ put: "outbox", value: { ...value } })), ...changes]);
  }

  /** Give up on the entries of this id, together with other changes; the server may have seen them all the same. */
  async abandon(id, changes = []) {
    const gone = this.#queue.filter((one) => one.id === id);
    this.#queue = this.#queue.filter((one) => one.id !== id);
    await write([...gone.map(({ position }) => ({ remove: "outbox", key: position })), ...changes]);
    this.#tell("count", { count: this.count });
    this.hurry();
  }

  /** Try again now instead of waiting. */
  hurry() {
    this.#hurried = performance.now();
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
      const parcel = this.#parcel();
      const done = await this.#deliver(parcel);
      if (done || this.#stopped) {
        attempt = 1;
        continue;
      }
      attempt += 1;
      this.#tell("waiting", { entry: parcel[0], attempt });
      await this.#pause(attempt);
    }
    this.#running = false;
  }

  /** What goes next: the oldest entry; with it those behind it that were made off line as well. */
  #parcel() {
    const [first] = this.#queue;
    if (!offLine(first)) return [first];
    const end = this.#queue.findIndex((one) => !offLine(one));
    return this.#queue.slice(0, Math.min(end < 0 ? this.#queue.length : end, this.#largest));
  }

  /** Whether something was settled, one way or the other. */
  async #deliver(parcel) {
    const [first] = parcel;
    const batch = offLine(first);
    try {
      if (batch) await this.#settleBatch(parcel, await this.#client.batch(batchItems(parcel)));
      else await this.#settle(first, await this.#client.send(first), false);
    } catch (problem) {
      return this.#failed(parcel, problem);
    }
    if (batch) this.#largest = Math.min(LARGEST_BATCH, this.#largest * 2);
    return true;
  }

  async #settleBatch(parcel, { results }) {
    const answers = new Map(results.map((one) => [one.scan_id, one]));
    const settled = parcel.filter((entry) => answers.has(entry.id));
    if (!settled.length) throw Object.assign(new Error("no answer"), { status: 0 });
    const wrong = ({ id, kind }) => answers.get(id).error && (kind === "decision" || !answers.get(id).verdict);
    const lost = settled.filter(wrong).map((entry) => ({ entry, problem: problemOf(answers.get(entry.id).error) }));
    await this.#remove(settled, lost);
    for (const entry of settled) if (!wrong(entry)) this.#tell("sent", { entry, answer: answers.get(entry.id), batch: true });
    for (const one of lost) this.#tell("refused", one);
  }

  async #settle(entry, answer, batch) {
    const waited = this.#queue.includes(entry);
    await this.#remove([entry]);
    if (waited) this.#tell("sent", { entry, answer, batch });
  }

  /** Whether a failure settled something: a refusal does, a broken network does not. */
  async #failed(parcel, problem) {
    const status = problem.status ?? 0;
    if (this.#stopped) return true;
    if (status === 401) {
      this.#stopped = true;
      this.#tell(problem.isRevoked ? "revoked" : "untrusted", {});
      return true;
    }
    if (passing(status)) {
      parcel[0].attempts += 1;
      return false;
    }
    if (parcel.length > 1) {
      this.#largest = Math.ceil(parcel.length / 2); // one of them is wrong: halves show which
      return true;
    }
    const [entry] = parcel;
    const plain = { status, problem: problem.problem ?? {}, message: problem.message };
    await this.#remove(parcel, [{ entry, problem: plain }]);
    this.#tell("refused", { entry, problem: plain });
    return true;
  }

  /** Take settled entries out; those that the server refused are kept for a person to see. */
  async #remove(settled, refused = []) {
    const gone = new Set(settled);
    this.#queue = this.#queue.filter((one) => !gone.has(one));
    await write([
      ...settled.map((entry) => ({ remove: "outbox", key: entry.position })),
      ...refused.map(({ entry, problem }) => ({ add: "refused", value: { entry, problem, at: new Date().toISOString() } })),
    ]);
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

const problemOf = (code) => ({ status: 409, problem: { type: `urn:checkpoint:problem:${code}` }, message: code });
