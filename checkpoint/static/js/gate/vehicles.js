// Vehicles at the barrier: plate first or people first. While one is open, each scan joins it; its colour is that of its worst
// passenger. Kept in IndexedDB and told to the server by the outbox, so that it works with no network.

import { newId } from "./client.js";
import { handlers } from "./handlers.js";
import { printSticker, showCoachCode, vehicleOfCode } from "./print.js";
import { scanStamp, shiftStamp, stamp } from "./stamps.js";
import { forget, get, keep, put, recall } from "./store.js";
import { make, part, say, shape } from "./words.js";

const STORE = "vehicles";
const KEY = "vehicle";
const RANK = { green: 1, yellow: 2, red: 3 };
const RECENT_MS = 10 * 60_000;

/** The colour of a vehicle, null while it is empty. Whoever stands behind no valid pass counts as red. */
export function worst(people) {
  const tiers = people.map((one) => one.tier ?? "red");
  return tiers.reduce((found, tier) => (RANK[tier] > (RANK[found] ?? 0) ? tier : found), null);
}

/** Events: `said` {words, tone} for the lane's message, `wanted` {token} when somebody expected was tapped. */
export class Vehicles extends EventTarget {
  #client;
  #outbox;
  #device;
  #current = null;
  #expected = [];
  #url = null;
  #recent = [];

  constructor({ client, outbox, lane, device }) {
    super();
    this.#client = client;
    this.#outbox = outbox;
    this.#device = device;
    lane.addEventListener("judged", ({ detail }) => this.#judged(detail));
    lane.addEventListener("decided", ({ detail }) => this.#decided(detail));
    outbox.addEventListener("sent", ({ detail }) => this.#sent(detail.entry, detail.answer));
    part("vehicle-form").onsubmit = (event) => {
      event.preventDefault();
      this.#begin();
    };
    part("vehicle-now").onclick = (event) => this.#clicked(event);
    part("vehicle-lined").onclick = (event) => this.#lined(event);
    handlers.set("vehicle", (text) => this.#found(vehicleOfCode(text)));
  }

  /** Take up the vehicle that an earlier page left open. */
  async restore() {
    const id = await recall(KEY);
    if (id) this.#current = (await get(STORE, id)) ?? null;
    stamp({ vehicle_id: this.#current?.id ?? null });
    this.#paint();
  }

  /** The vehicles of the checkpoint, from the poll of the lane; also brings what passengers registered meanwhile. */
  learn(vehicles) {
    const others = vehicles.filter((one) => one.vehicle_id !== this.#current?.id);
    part("vehicle-lined").replaceChildren(
      ...others.map((one) => {
        const words = `${one.plate || say("vehicle.noplate")} · ${say("vehicle.people", { count: one.people })}`;
        const button = make("button", "lined", make("span", `mini mini-${one.tier ?? "none"}`, one.tier ? shape(`tier-${one.tier}`) : ""), words);
        button.type = "button";
        button.dataset.vehicle = one.vehicle_id;
        return make("li", "", button);
      }),
    );
    part("vehicle-lined-part").hidden = others.length === 0;
    if (this.#current) this.#refresh();
  }

  get isOpen() {
    return this.#current !== null;
  }

  async #begin() {
    const plate = part("vehicle-plate").value.trim();
    const kind = part("vehicle-form").querySelector("input[name=kind]:checked")?.value ?? "car";
    const chosen = [...part("vehicle-recent").querySelectorAll("input:checked")].map((box) => box.value);
    const people = this.#recent.filter((one) => chosen.includes(one.scan_id));
    this.#recent = this.#recent.filter((one) => !people.includes(one));
    this.#current = { id: newId(), kind, plate, opened_at: new Date().toISOString(), people, closed_at: null };
    part("vehicle-form").reset();
    await this.#store({ scans: people.map((one) => one.scan_id) });
  }

  /** Write the vehicle down and tell of it. */
  async #store(more = {}) {
    const { id, kind, plate, opened_at, closed_at } = this.#current;
    const body = { vehicle_id: id, kind, opened_at, ...shiftStamp(), ...more };
    if (plate) body.plate = plate;
    if (closed_at) body.closed_at = closed_at;
    const changes = [{ put: STORE, value: { ...this.#current } }, { put: "kept", value: id, key: KEY }];
    stamp({ vehicle_id: id });
    try {
      await this.#outbox.add({ id, kind: "vehicle", path: "/api/v1/gate/vehicles", body }, changes);
    } catch {
      this.#say(say("send.storage"), "error");
    }
    this.#paint();
  }

  async #judged({ scan, view }) {
    const one = {
      scan_id: scan.scan_id,
      token: scan.token,
      name: view.person?.name ?? "",
      tier: view.problem ? null : (view.tier ?? null),
      at: Date.now(),
      decision: null,
      approval: approvalOf(view.reasons),
    };
    if (this.#current && scanStamp().vehicle_id === this.#current.id) {
      this.#current.people = [...this.#current.people.filter((other) => other.token !== one.token), one];
      await put(STORE, { ...this.#current });
    } else {
      this.#recent = [one, ...this.#recent.filter((other) => other.token !== one.token && Date.now() - other.at < RECENT_MS)];
    }
    this.#paint();
  }

  async #decided({ scan_id, decision }) {
    for (const one of [...this.#recent, ...(this.#current?.people ?? [])]) {
      if (one.scan_id === scan_id) one.decision = decision;
    }
    if (this.#current) await put(STORE, { ...this.#current });
    this.#paint();
  }

  /** A test changed somebody's colour. */
  async recolour(scan_id, tier) {
    for (const one of this.#current?.people ?? []) if (one.scan_id === scan_id) one.tier = tier;
    if (this.#current) await put(STORE, { ...this.#current });
    this.#paint();
  }

  #sent(entry, answer) {
    if (entry.kind === "vehicle" && answer?.vehicle_id === this.#current?.id) this.#learnOne(answer);
  }

  async #refresh() {
    const id = this.#current.id;
    try {
      const answer = await this.#client.call(`/api/v1/gate/vehicles/${id}`);
      if (this.#current?.id === id) this.#learnOne(answer);
    } catch {
      // without network the tablet's own list stands
    }
  }

  /** What the server knows beyond this tablet: other tablets' scans, who registered by the coach's code or this plate. */
  #learnOne(answer) {
    const mine = new Map(this.#current.people.map((one) => [one.scan_id, one]));
    for (const one of answer.seated) {
      const known = { tier: one.tier, name: one.name, approval: approvalOf(one.reasons) };
      if (mine.has(one.scan_id)) Object.assign(mine.get(one.scan_id), known);
      else this.#current.people.push({ ...known, scan_id: one.scan_id, token: one.scan_id, decision: one.decision });
    }
    this.#expected = answer.expected;
    this.#url = answer.url;
    if (answer.plate) this.#current.plate = answer.plate;
    this.#paint();
  }

  async #clicked(event) {
    const button = event.target.closest("button");
    const { act, scan, person } = button?.dataset ?? {};
    if (person) this.dispatchEvent(new CustomEvent("wanted", { detail: { token: `ID:${person}` } }));
    else if (scan) await this.#drop(scan);
    else if (act === "sticker") this.#sticker();
    else if (act === "coach") this.#coach();
    else if (act === "plate") await this.#replate();
    else if (act === "leave") await this.#leave(false);
    else if (act === "close") await this.#leave(true);
  }

  async #drop(scan_id) {
    this.#current.people = this.#current.people.filter((one) => one.scan_id !== scan_id);
    await this.#store({ dropped: [scan_id] });
  }

  async #replate() {
    const typed = part("vehicle-plate-now").value.trim();
    if (!typed || typed === this.#current.plate) return;
    this.#current.plate = typed;
    await this.#store();
  }

  /** Put the vehicle aside, or let it drive on for good. */
  async #leave(forGood) {
    if (forGood) {
      this.#current.closed_at = new Date().toISOString();
      await this.#store();
    }
    this.#current = null;
    this.#expected = [];
    this.#url = null;
    stamp({ vehicle_id: null });
    await forget(KEY);
    this.#paint();
  }

  #sticker() {
    const { id, plate, kind, people } = this.#current;
    const tier = worst(people);
    if (!tier) {
      this.#say(say("vehicle.empty"), "info");
      return;
    }
    printSticker({
      vehicle_id: id, plate, kind, tier, people: people.length, at: Date.now(), checkpoint: this.#device.checkpoint.name,
      approval: people.map((one) => one.approval).find((one) => one?.isKept) ?? null,
    });
  }

  async #coach() {
    if (!this.#url) await this.#refresh();
    if (this.#url) showCoachCode({ url: this.#url, plate: this.#current.plate });
    else this.#say(say("coach.offline"), "error");
  }

  async #lined(event) {
    const id = event.target.closest("[data-vehicle]")?.dataset.vehicle;
    if (id) await this.#found(id);
  }

  /** A sticker was scanned, or a vehicle of the line tapped: it is the one at hand again. */
  async #found(id) {
    if (this.#current?.id === id) return;
    const kept = await get(STORE, id);
    try {
      const answer = await this.#client.call(`/api/v1/gate/vehicles/${id}`);
      if (answer.checkpoint !== this.#device.checkpoint.name) {
        const words = { plate: answer.plate, checkpoint: answer.checkpoint, people: answer.seated.length };
        this.#say(say("vehicle.elsewhere", { ...words, tier: say(`sticker.${answer.tier ?? "none"}`) }), "info");
        return;
      }
      const { kind, plate, opened_at, closed_at } = answer;
      this.#current = kept ?? { id, kind, plate, opened_at, people: [], closed_at };
      this.#learnOne(answer);
    } catch {
      if (!kept) {
        this.#say(say("vehicle.unknown"), "error");
        return;
      }
      this.#current = kept;
    }
    stamp({ vehicle_id: id });
    await keep(KEY, id);
    this.#paint();
    this.dispatchEvent(new CustomEvent("opened"));
  }

  #say(words, tone) {
    this.dispatchEvent(new CustomEvent("said", { detail: { words, tone } }));
  }

  #paint() {
    const vehicle = this.#current;
    part("vehicle-form").hidden = vehicle !== null;
    part("vehicle-now").hidden = vehicle === null;
    part("in-vehicle").hidden = vehicle === null;
    this.dispatchEvent(new CustomEvent("changed"));
    if (!vehicle) {
      this.#paintRecent();
      return;
    }
    const tier = worst(vehicle.people);
    const name = vehicle.plate || say("vehicle.noplate");
    part("in-vehicle").textContent = say("vehicle.into", { plate: name });
    const badge = part("vehicle-tier");
    badge.className = tier ? `tier tier-${tier}` : "tier";
    badge.replaceChildren(...(tier ? [shape(`tier-${tier}`), make("span", "", say(`sticker.${tier}`))] : [say("vehicle.empty")]));
    part("vehicle-name").textContent = `${say(`vehicle.${vehicle.kind}`)} · ${name}`;
    if (document.activeElement !== part("vehicle-plate-now")) part("vehicle-plate-now").value = vehicle.plate;
    part("vehicle-people").replaceChildren(...vehicle.people.map(seat));
    part("vehicle-expected").replaceChildren(...this.#expected.map(awaited));
    part("vehicle-expected-part").hidden = this.#expected.length === 0;
  }

  #paintRecent() {
    const list = part("vehicle-recent");
    const ticked = new Set([...list.querySelectorAll("input:checked")].map((box) => box.value));
    list.replaceChildren(
      ...this.#recent.map((one) => {
        const box = make("input");
        Object.assign(box, { type: "checkbox", value: one.scan_id, checked: ticked.has(one.scan_id) });
        const mini = make("span", `mini mini-${one.tier ?? "refuse"}`, shape(one.tier ? `tier-${one.tier}` : "refuse"));
        return make("li", "", make("label", "", box, mini, one.name || say("log.unknown")));
      }),
    );
    part("vehicle-recent-part").hidden = this.#recent.length === 0;
  }
}

/** What a scan said of an approval: `{number, text, note, isKept}`, null without any. */
function approvalOf(reasons) {
  const said = (reasons ?? []).find(({ rule }) => rule.startsWith("approval_"));
  if (!said) return null;
  const [number] = said.detail ?? said.evidence.detail;
  return { number, text: said.text, note: said.note ?? "", isKept: said.rule === "approval_granted" };
}

function seat(one) {
  const button = make("button", "outline secondary seat-drop", "×");
  button.type = "button";
  button.dataset.scan = one.scan_id;
  button.setAttribute("aria-label", say("vehicle.drop", { name: one.name }));
  const mini = make("span", `mini mini-${one.tier ?? "refuse"}`, shape(one.tier ? `tier-${one.tier}` : "refuse"));
  const decision = one.decision ? say(`decided.${one.decision}`) : "";
  const approval = one.approval ? make("small", "seat-approval", one.approval.text, make("br"), one.approval.note) : null;
  const who = make("span", "seat-who", make("span", "seat-name", one.name || say("log.unknown")), approval);
  return make("li", "seat", mini, who, make("span", "muted", decision), button);
}

function awaited(one) {
  const button = make(
    "button", "queue-person", make("span", `mini mini-${one.tier}`, shape(`tier-${one.tier}`)), make("strong", "", one.name),
    make("span", "muted", one.id_number.slice(-4)),
  );
  button.type = "button";
  button.dataset.person = one.registration_id;
  return make("li", "", button);
}
