// A tablet that moves to another checkpoint takes nothing of the old one along: what was scanned there and is not sent yet goes out
// with the old device's token, which is kept until nothing of it is left. Nothing is ever recorded where it did not happen.

import { Client } from "./client.js";
import { Outbox } from "./outbox.js";
import { entries, keep, recall, write } from "./store.js";
import { part, say } from "./words.js";

const KEY = "former";
const OF_THE_POST = ["held", "officers", "officer-proofs", "shift", "vehicle", "snapshot", "snapshot-confirmed"];

/** Write down what this tablet is from now on, `{token, checkpoint, label}`; where it moved, what belongs to the old place is left there. */
export async function becomeDevice(device) {
  const before = await recall("device");
  const change = { put: "kept", key: "device", value: device };
  if (!before || before.checkpoint.code === device.checkpoint.code) {
    await write([change]);
    return;
  }
  const post = before.checkpoint.code;
  const [former, shift, unsent] = await Promise.all([recall(KEY), recall("shift"), entries()]);
  const changes = [change, { put: "kept", key: KEY, value: [...(former ?? []), before] }];
  for (const value of unsent) changes.push({ put: "outbox", value: { post, ...value } });
  if (shift) changes.push({ add: "outbox", value: { ...endOf(shift), post } });
  for (const key of OF_THE_POST) changes.push({ remove: "kept", key });
  for (const store of ["tests", "vehicles", "rounds"]) changes.push({ clear: store });
  await write(changes);
}

const endOf = ({ shift_id }) => ({
  id: shift_id,
  kind: "shift",
  path: `/api/v1/gate/shifts/${shift_id}/end`,
  body: { ended_at: new Date().toISOString() },
  attempts: 0,
  made: Date.now(),
});

/** Sends what is left of the checkpoints at which this tablet stood before, and says how much that is. */
export class Former {
  #place = part("former");
  #outboxes = [];
  #left = new Map(); // code of a checkpoint → {name, count, canSend}

  /** Begin; `code` is the checkpoint of now, `matters` shows what is refused. */
  async open(code, matters) {
    const devices = (await recall(KEY)) ?? [];
    const unsent = (await entries()).filter(({ post }) => post && post !== code);
    for (const { post } of unsent) {
      const known = this.#left.get(post) ?? { name: devices.find((one) => one.checkpoint.code === post)?.checkpoint.name ?? post, count: 0, canSend: false };
      this.#left.set(post, { ...known, count: known.count + 1 });
    }
    const needed = devices.filter((one) => this.#left.has(one.checkpoint.code));
    if (needed.length !== devices.length) await keep(KEY, needed);
    // The last token of a place will do: the server counts an entry by its own id and the place.
    for (const [post, state] of this.#left) {
      const device = needed.findLast((one) => one.checkpoint.code === post);
      if (device) this.#send(device, state, matters);
    }
    this.#paint();
  }

  stop() {
    for (const outbox of this.#outboxes) outbox.stop();
    this.#outboxes = [];
    this.#left.clear();
  }

  #send({ token, checkpoint }, state, matters) {
    const outbox = new Outbox(new Client(token), checkpoint.code);
    this.#outboxes.push(outbox);
    state.canSend = true;
    outbox.addEventListener("count", async ({ detail }) => {
      state.count = detail.count;
      this.#paint();
      if (detail.count === 0) await this.#forget(checkpoint.code);
    });
    outbox.addEventListener("refused", () => matters.show());
    for (const name of ["revoked", "untrusted"]) {
      outbox.addEventListener(name, () => {
        state.canSend = false; // the entries stay: another device of that checkpoint may still deliver them
        this.#forget(checkpoint.code);
        this.#paint();
      });
    }
    outbox.restore();
  }

  async #forget(code) {
    await keep(KEY, ((await recall(KEY)) ?? []).filter((one) => one.checkpoint.code !== code));
  }

  #paint() {
    const lines = [...this.#left.values()].filter(({ count }) => count > 0);
    this.#place.hidden = lines.length === 0;
    this.#place.textContent = lines
      .map(({ name, count, canSend }) => say(canSend ? "former.sending" : "former.stuck", { count, checkpoint: name }))
      .join(" ");
  }
}
