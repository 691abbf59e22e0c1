// Who is on duty at this tablet. Without a signed-in officer the lane does not open; handing over is the name and the PIN.

import { newId } from "./client.js";
import { checkPin, knownOfficers, learnOfficers, rememberPin } from "./officers.js";
import { forget, keep, recall } from "./store.js";
import { stamp } from "./stamps.js";
import { hour, make, part, say } from "./words.js";

const KEY = "shift";
const LONGEST_SHIFT_MS = 12 * 3_600_000;
const SHORTEST_PIN = 6;
const LONGEST_PIN = 12;

/** Events: `on` {shift} when somebody is on duty, `off` {} when nobody is any more. */
export class Shift extends EventTarget {
  #client;
  #outbox;
  #screen = part("officer");
  #pin = part("pin");
  #officer = null;
  #busy = false;
  #officers = [];
  current = null;

  constructor({ client, outbox }) {
    super();
    this.#client = client;
    this.#outbox = outbox;
    const screen = this.#screen;
    part("on-duty").onclick = () => this.#open(true);
    part("officer-cancel").onclick = () => this.#close();
    part("officer-back").onclick = () => this.#choose(null);
    part("officer-end").onclick = () => this.end();
    part("pin-form").onsubmit = (event) => {
      event.preventDefault();
      this.#signIn();
    };
    part("pin-pad").onclick = (event) => this.#pressed(event.target.closest("button")?.dataset.key);
    part("officer-list").onclick = (event) => {
      const button = event.target.closest("[data-officer]");
      if (button) this.#choose(this.#officers.find((one) => one.id === button.dataset.officer));
    };
    screen.onkeydown = (event) => event.stopPropagation(); // what is typed here is a PIN, not a scanned code
  }

  /** Resolves once somebody is on duty: at once after a reload within the shift. */
  async begin() {
    const kept = await recall(KEY);
    if (kept && Date.now() - Date.parse(kept.started_at) < LONGEST_SHIFT_MS) {
      this.#take(kept);
      return;
    }
    if (kept) await this.#tellEnd(kept);
    const done = new Promise((resolve) => this.addEventListener("on", resolve, { once: true }));
    await this.#open(false);
    await done;
  }

  /** Whether the sign-in stands over the lane. */
  get isAsking() {
    return !this.#screen.hidden;
  }

  /** The server's list of officers, from the poll of the lane. */
  async learn(officers) {
    this.#officers = officers;
    await learnOfficers(officers);
    if (this.isAsking && !this.#officer) this.#paintList();
  }

  /** Sign out: the lane closes until somebody signs in. */
  async end() {
    const shift = this.current;
    if (!shift) return;
    this.current = null;
    stamp({ shift_id: null });
    await forget(KEY);
    await this.#tellEnd(shift);
    this.dispatchEvent(new CustomEvent("off"));
    await this.#open(false);
  }

  close() {
    this.#screen.hidden = true;
  }

  async #tellEnd({ shift_id }) {
    const ended_at = new Date().toISOString();
    await this.#outbox.add({ id: shift_id, kind: "shift", path: `/api/v1/gate/shifts/${shift_id}/end`, body: { ended_at } });
  }

  async #open(canCancel) {
    part("officer-cancel").hidden = !canCancel;
    part("officer-end").hidden = !canCancel || !this.current;
    this.#choose(null);
    this.#screen.hidden = false;
    this.#officers = await knownOfficers();
    this.#paintList();
    try {
      const { officers } = await this.#client.call("/api/v1/gate/lane");
      await this.learn(officers);
    } catch {
      this.#paintList(); // without network those whom the tablet knows
    }
  }

  #close() {
    if (this.current) this.#screen.hidden = true;
  }

  #paintList() {
    const others = this.#officers.filter((one) => one.id !== this.current?.officer_id);
    part("officer-list").replaceChildren(
      ...others.map((one) => {
        const button = make("button", "officer-name", one.name);
        button.type = "button";
        button.dataset.officer = one.id;
        return button;
      }),
    );
    part("officer-none").hidden = others.length > 0;
  }

  #choose(officer) {
    this.#officer = officer ?? null;
    part("officer-who").hidden = Boolean(officer);
    part("pin-form").hidden = !officer;
    part("pin-name").textContent = officer?.name ?? "";
    this.#pin.value = "";
    this.#tell("");
    if (officer) this.#pin.focus();
  }

  #pressed(key) {
    if (!key || this.#busy) return;
    if (key === "back") this.#pin.value = this.#pin.value.slice(0, -1);
    else if (this.#pin.value.length < LONGEST_PIN) this.#pin.value += key;
    this.#tell("");
  }

  async #signIn() {
    const officer = this.#officer;
    const pin = this.#pin.value;
    if (!officer || this.#busy) return;
    if (!/^\d+$/.test(pin) || pin.length < SHORTEST_PIN) {
      this.#tell(say("officer.short", { number: SHORTEST_PIN }));
      return;
    }
    this.#busy = true;
    this.#tell(say("officer.busy"), "info");
    try {
      await this.#prove(officer, pin, newId(), new Date().toISOString());
    } catch (problem) {
      this.#pin.value = "";
      this.#tell(wordsOf(problem));
    } finally {
      this.#busy = false;
    }
  }

  async #prove(officer, pin, shift_id, started_at) {
    const opening = { shift_id, officer_id: officer.id, started_at };
    let answer;
    try {
      answer = await this.#client.call("/api/v1/gate/shifts", { method: "POST", body: { ...opening, pin } });
    } catch (problem) {
      const status = problem.status ?? 0;
      if (status !== 0 && status < 500) throw problem;
      await this.#proveHere(officer, pin, opening);
      return;
    }
    await this.#start({ ...opening, name: answer.officer.name });
    rememberPin(answer.officer, pin, answer.offline_hours).catch(() => {}); // slow on purpose; the lane does not wait for it
  }

  /** No network: this tablet checks the PIN itself, and tells the server later. */
  async #proveHere(officer, pin, opening) {
    const found = await checkPin(officer.id, pin);
    if (found !== "right") throw Object.assign(new Error(found), { local: found });
    await this.#outbox.add({ id: opening.shift_id, kind: "shift", path: "/api/v1/gate/shifts", body: opening });
    await this.#start({ ...opening, name: officer.name });
  }

  async #start(shift) {
    await keep(KEY, shift);
    this.#take(shift);
  }

  #take(shift) {
    this.current = shift;
    stamp({ shift_id: shift.shift_id });
    part("on-duty").hidden = false;
    part("on-duty-name").textContent = shift.name;
    part("on-duty").title = say("officer.since", { time: hour(shift.started_at) });
    this.#screen.hidden = true;
    this.#pin.value = "";
    this.dispatchEvent(new CustomEvent("on", { detail: { shift } }));
  }

  #tell(text, tone = "error") {
    const place = part("officer-message");
    place.textContent = text;
    place.dataset.tone = tone;
    place.hidden = !text;
  }
}

function wordsOf(problem) {
  if (problem.local) return say(`officer.${problem.local}`);
  if (problem.status === undefined) return say("send.storage");
  return problem.problem?.errors?.[0]?.message ?? problem.message;
}
