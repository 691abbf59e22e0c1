// The officer's short form for people without a phone: one person or a family. A card reader that types like a keyboard may
// fill it. With network the verdict comes at once and the slip can be printed; without it the declaration waits sealed.

import "../division-picker.js";
import { newId } from "./client.js";
import { normalised } from "./document-check.js";
import { printSlip } from "./print.js";
import { problems as wrongOf } from "../traveller-validate.js";
import { make, part, say, shape } from "./words.js";

const settings = JSON.parse(document.getElementById("gate-configuration").textContent).lane;
const RESIDENT_ID = /^\d{17}[\dX]$/;
const LONGEST_FAMILY = 20;
const SLIPS_KEPT = 8;
const today = () => new Intl.DateTimeFormat("en-CA", { timeZone: settings.timezone }).format(new Date());

/** Events: `said` {words, tone}. */
export class OfficerForm extends EventTarget {
  #client;
  #device;
  #carrier;
  #screen = part("form");
  #form = part("form-body");
  #id = newId();
  #busy = false;
  #slips = [];

  /** `carrier` brings a declaration's people before the officer, and takes it along when there is no network (carried.js). */
  constructor({ client, device, carrier }) {
    super();
    this.#client = client;
    this.#device = device;
    this.#carrier = carrier;
    fillVillages(this.#form);
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#send();
    };
    part("form-close").onclick = () => this.close();
    part("form-family").onclick = () => this.#addCompanion();
    part("form-companions").onclick = (event) => event.target.closest("[data-gone]")?.closest("fieldset").remove();
    part("slips").onclick = (event) => this.#print(event.target.closest("[data-slip]")?.dataset.slip);
    // Before the lane's own watch of the keyboard: a card read here fills the form, and its Enter goes on to the next field.
    window.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
  }

  get isOpen() {
    return !this.#screen.hidden;
  }

  open() {
    this.#screen.hidden = false;
    this.#form.elements.name.focus();
  }

  close() {
    this.#screen.hidden = true;
  }

  #pressed(event) {
    if (!this.isOpen || !this.#screen.contains(event.target)) return;
    if (event.key === "Escape") this.close();
    if (event.key !== "Enter") return;
    if (!event.target.matches("input:not([type=checkbox], [type=radio])")) return;
    if (event.target.getAttribute("aria-expanded") === "true") return; // a place is being chosen
    event.preventDefault();
    event.stopImmediatePropagation();
    const typed = normalised(event.target.value);
    const row = event.target.closest("[data-person-row]");
    const number = row?.querySelector("[data-number]");
    if (number && event.target !== number && RESIDENT_ID.test(typed)) {
      event.target.value = ""; // the reader was aimed at the wrong field
      number.value = typed;
    }
    const fields = [...this.#form.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((one) => one.offsetParent);
    fields[fields.indexOf(event.target) + 1]?.focus();
  }

  #addCompanion() {
    const list = part("form-companions");
    if (list.children.length >= LONGEST_FAMILY) return;
    list.append(part("form-companion").content.cloneNode(true));
    list.lastElementChild.querySelector("input").focus();
  }

  /** What the form says, as the server takes it; what was left empty is left out, to be named as missing. */
  #declaration() {
    const data = new FormData(this.#form);
    const typed = (name) => (data.get(name) ?? "").trim();
    const filled = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value));
    const address = typed("address");
    const body = {
      client_id: this.#id,
      ...filled({ name: typed("name"), id_type: typed("id_type"), id_number: normalised(typed("id_number")), phone: typed("phone") }),
      destination: { ...filled({ code: typed("village") || typed("town") }), ...(address ? { address } : {}) },
      arriving_on: today(),
      checkpoint: this.#device.checkpoint.code,
      ...filled({ transport: typed("transport"), plate: typed("plate") }),
      symptoms: data.getAll("symptoms"),
      companions: [...part("form-companions").children].map((row) =>
        filled({
          name: row.querySelector("[data-name]").value.trim(),
          id_type: row.querySelector("select").value,
          id_number: normalised(row.querySelector("[data-number]").value),
        }),
      ),
    };
    const origin = filled({ code: typed("origin_code"), text: typed("origin_text") });
    if (Object.keys(origin).length) body.origin = origin;
    return body;
  }

  async #send() {
    if (this.#busy) return;
    this.#busy = true;
    const declaration = this.#declaration();
    this.#tell([{ message: say("send.busy") }], "info");
    try {
      const answer = await this.#client.call("/api/v1/gate/registrations", { method: "POST", body: declaration });
      await this.#done(declaration, answer);
    } catch (problem) {
      await this.#failed(declaration, problem);
    } finally {
      this.#busy = false;
    }
  }

  async #failed(declaration, problem) {
    const status = problem.status ?? 0;
    const passing = status === 0 || status === 429 || status >= 500;
    if (!passing) {
      this.#tell(problem.problem?.errors?.length ? problem.problem.errors : [{ message: problem.message }]);
      return;
    }
    // Without the server what can be known here is looked at here, so that nothing wrong is carried for nothing.
    const wrong = Object.entries(wrongOf(declaration, { today: today(), now: Date.now() }));
    if (wrong.length) {
      this.#tell(wrong.map(([field, code]) => ({ field, message: settings.problems[code] ?? code })));
      return;
    }
    this.close(); // its verdict is shown in the lane
    if (await this.#carrier.carry(declaration).catch(() => false)) {
      this.#clear();
      return;
    }
    this.open();
    this.#tell([{ message: say("form.offline") }]);
  }

  async #done(declaration, answer) {
    const people = [{ ...answer, name: declaration.name }, ...answer.companions.map((one, number) => ({ ...one, name: declaration.companions[number].name, measures: answer.measures }))];
    this.#slips = [...people, ...this.#slips].slice(0, SLIPS_KEPT);
    this.#paintSlips();
    this.#clear();
    const isFree = await this.#carrier.present(declaration, [answer.id, ...answer.companions.map((one) => one.id)]);
    if (!isFree) this.dispatchEvent(new CustomEvent("said", { detail: { words: say("decide.first"), tone: "error" } }));
  }

  #clear() {
    this.#form.reset();
    part("form-companions").replaceChildren();
    for (const hidden of this.#form.querySelectorAll("input[type=hidden]")) hidden.value = "";
    fillVillages(this.#form);
    this.#id = newId();
    this.#tell([]);
    this.close();
  }

  #print(id) {
    const one = this.#slips.find((slip) => slip.id === id);
    if (!one) return;
    const { token, short_code, expires_at } = one.pass;
    const { name, tier, measures } = one;
    printSlip({ name, tier, token, short_code, expires_at, measures: measures ?? [], checkpoint: this.#device.checkpoint.name, at: Date.now() });
  }

  #paintSlips() {
    part("slips-part").hidden = this.#slips.length === 0;
    part("slips").replaceChildren(
      ...this.#slips.map((one) => {
        const button = make("button", "outline slip-print", say("slip.print"));
        button.type = "button";
        button.dataset.slip = one.id;
        return make("li", "slip-row", make("span", `mini mini-${one.tier}`, shape(`tier-${one.tier}`)), make("strong", "", masked(one.name)), button);
      }),
    );
  }

  #tell(problems, tone = "error") {
    const place = part("form-message");
    place.dataset.tone = tone;
    place.replaceChildren(
      ...problems.map(({ field, message }) => make("p", "", field ? `${label(this.#form, field)}${message}` : message)),
    );
    place.hidden = problems.length === 0;
    if (problems.length && tone === "error") place.scrollIntoView({ block: "nearest" });
  }
}

/** A name as any screen may show it; the whole of it stands on the slip alone. */
const masked = (name) => name.slice(0, 1) + "*".repeat(Math.max(1, name.length - 1));

/** What a field of the declaration is called on this form, with a colon. */
function label(form, field) {
  const leaf = { "destination.code": "town", "destination.address": "address", destination: "town", origin: "origin_text" }[field] ?? field;
  const companion = /^companions\.(\d+)/.exec(field);
  if (companion) return say("form.companion", { number: Number(companion[1]) + 1 });
  const element = form.elements[leaf.startsWith("origin") ? "origin_text" : leaf];
  const words = (element?.labels ?? element?.[0]?.labels)?.[0]?.textContent.trim();
  return words ? say("form.field", { field: words }) : "";
}

/** The villages of the chosen town; the town alone will do. */
function fillVillages(form) {
  const { town, village } = form.elements;
  const paint = () => {
    const found = settings.towns.find((one) => one.code === town.value)?.villages ?? [];
    village.replaceChildren(new Option(say("form.anywhere"), ""), ...found.map(([code, name]) => new Option(name, code)));
  };
  town.onchange = paint;
  if (!town.options.length) town.append(new Option(say("form.choose"), ""), ...settings.towns.map(({ code, name }) => new Option(name, code)));
  paint();
}
