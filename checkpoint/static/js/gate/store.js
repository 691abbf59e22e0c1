// What the tablet keeps: its token and settings, what is held on screen, and what is not sent yet. IndexedDB, one promise a call.

const NAME = "checkpoint-gate";
const VERSION = 1;
const KEPT = "kept";
const OUTBOX = "outbox";

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(KEPT);
      request.result.createObjectStore(OUTBOX, { keyPath: "position", autoIncrement: true });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
  opened.catch(() => (opened = null));
  return opened;
}

/** Run `work` on one object store; resolves with the request's result once the transaction has been written. */
async function within(name, mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(name, mode);
    const request = work(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onerror = () => reject(transaction.error);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** A kept value, undefined when there is none. */
export const recall = (key) => within(KEPT, "readonly", (store) => store.get(key));
export const keep = (key, value) => within(KEPT, "readwrite", (store) => store.put(value, key));
export const forget = (key) => within(KEPT, "readwrite", (store) => store.delete(key));

/** Entries of the outbox, oldest first. */
export const entries = () => within(OUTBOX, "readonly", (store) => store.getAll());
/** Add an entry and resolve with its position, by which it is sent and removed. */
export const append = (entry) => within(OUTBOX, "readwrite", (store) => store.add(entry));
export const drop = (position) => within(OUTBOX, "readwrite", (store) => store.delete(position));

/** Empty everything: a tablet that lost its trust keeps nothing. */
export async function wipe() {
  await within(KEPT, "readwrite", (store) => store.clear());
  await within(OUTBOX, "readwrite", (store) => store.clear());
}
