// What the tablet keeps, in IndexedDB: its token and settings, what was scanned here, and what is not sent yet. A write resolves
// when it is on the disk itself (durability "strict"): a tablet may lose its battery in the next moment.

import { openDB } from "../../vendor/idb.js";

const NAME = "checkpoint-gate";
const VERSION = 2;
const KEPT = "kept";
const OUTBOX = "outbox";
const STRICT = { durability: "strict" };

// Each store and how its values are keyed. `kept` is key and value; `outbox` and `refused` number themselves.
const STORES = {
  [KEPT]: undefined,
  [OUTBOX]: { keyPath: "position", autoIncrement: true },
  refused: { keyPath: "number", autoIncrement: true },
  crossings: { keyPath: "scan_id" },
  tests: { keyPath: "id" },
  vehicles: { keyPath: "id" },
  rounds: { keyPath: "id" },
};

let opened = null;

function open() {
  opened ??= openDB(NAME, VERSION, {
    upgrade(database, _before, _after, transaction) {
      for (const [name, options] of Object.entries(STORES)) {
        if (!database.objectStoreNames.contains(name)) database.createObjectStore(name, options);
      }
      const crossings = transaction.objectStore("crossings");
      if (!crossings.indexNames.contains("who")) crossings.createIndex("who", "who");
      if (!crossings.indexNames.contains("scanned_at")) crossings.createIndex("scanned_at", "scanned_at");
    },
    blocking(_now, _wanted, event) {
      opened = null; // a newer page wants to change the stores: let go, and open anew when needed
      event.target.close();
    },
    terminated() {
      opened = null;
    },
  });
  opened.catch(() => (opened = null));
  return opened;
}

/**
 * Several changes that happen together or not at all. Each is `{put: store, value, key?}`, `{add: store, value}`,
 * `{remove: store, key}` or `{clear: store}`; resolves with their keys, in order.
 */
export async function write(changes) {
  const names = [...new Set(changes.map((one) => one.put ?? one.add ?? one.remove ?? one.clear))];
  const transaction = (await open()).transaction(names, "readwrite", STRICT);
  const keys = changes.map((one) => {
    if (one.put) return transaction.objectStore(one.put).put(one.value, one.key);
    if (one.add) return transaction.objectStore(one.add).add(one.value);
    if (one.clear) return transaction.objectStore(one.clear).clear();
    return transaction.objectStore(one.remove).delete(one.key);
  });
  const [done] = await Promise.all([Promise.all(keys), transaction.done]);
  return done;
}

/** Any store: all values, one by its key (undefined when there is none), write one, remove one. */
export const all = async (store) => (await open()).getAll(store);
export const get = async (store, key) => (await open()).get(store, key);
export const put = async (store, value) => (await write([{ put: store, value }]))[0];
export const remove = (store, key) => write([{ remove: store, key }]);

/** A kept value, undefined when there is none. */
export const recall = (key) => get(KEPT, key);
export const keep = (key, value) => write([{ put: KEPT, value, key }]);
export const forget = (key) => remove(KEPT, key);

/** Entries of the outbox, oldest first. */
export const entries = () => all(OUTBOX);
/** Add an entry and resolve with its position, by which it is sent and removed. */
export const append = async (entry) => (await write([{ add: OUTBOX, value: entry }]))[0];
export const drop = (position) => remove(OUTBOX, position);

/** What was scanned here of one pass or person (`who`), newest first. */
export async function crossingsOf(who) {
  const found = await (await open()).getAllFromIndex("crossings", "who", who);
  return found.sort((one, other) => (one.scanned_at < other.scanned_at ? 1 : -1));
}

/** How many values a store has. */
export const count = async (store) => (await open()).count(store);

/** Forget crossings made before `instant` (RFC 3339, UTC) of which `outbox` has nothing more to send; resolves to how many. */
export async function forgetCrossings(instant, outbox) {
  const transaction = (await open()).transaction("crossings", "readwrite");
  let gone = 0;
  let cursor = await transaction.store.index("scanned_at").openCursor(IDBKeyRange.upperBound(instant, true));
  while (cursor) {
    if (!outbox.has(cursor.value.scan_id)) {
      await cursor.delete();
      gone += 1;
    }
    cursor = await cursor.continue();
  }
  await transaction.done;
  return gone;
}

/** Empty everything: a tablet that lost its trust keeps nothing. */
export async function wipe() {
  const transaction = (await open()).transaction(Object.keys(STORES), "readwrite", STRICT);
  await Promise.all([...Object.keys(STORES).map((name) => transaction.objectStore(name).clear()), transaction.done]);
}
