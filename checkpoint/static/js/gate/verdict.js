// The verdict on the whole screen, held until the officer decides. Paints what the server answered; decides nothing itself.

import { askedFor, knows, make, needsReason, part, say, shape, when } from "./words.js";

const ADDED_STATES = ["inside", "turned_back"];

export class VerdictScreen {
  #root = part("verdict");
  #view = null;
  #overriding = null;
  #decided = () => {};
  #skipped = () => {};

  /** `decided(decision, note)` and `skipped()` (scan another code after a refusal) are what the officer may do. */
  constructor({ decided, skipped }) {
    this.#decided = decided;
    this.#skipped = skipped;
    this.#root.addEventListener("click", (event) => this.#clicked(event));
    part("override", this.#root).addEventListener("submit", (event) => this.#overridden(event));
  }

  get isShown() {
    return !this.#root.hidden;
  }

  /**
   * Paint an answer of POST /scans, or this tablet's own (`offline: true`); `told` says what the server sees otherwise. `others` are
   * the views of those who came along; when all are united, one decision is for everybody.
   */
  show(view, told = "", { others = [], isUnited = false } = {}) {
    this.#view = view;
    this.#closeOverride();
    const root = this.#root;
    root.dataset.verdict = view.verdict;
    part("verdict-shape", root).replaceChildren(shape(view.verdict));
    part("verdict-word", root).textContent = say(`verdict.${view.verdict}`);
    part("verdict-say", root).textContent = say(`verdict.${view.verdict}.say`);
    this.#paintSource(view, told);
    this.#paintTier(view.tier);
    this.#paintPerson(view.person);
    fill(part("reasons", root), view.reasons, say("reasons.none"));
    fill(part("measures", root), view.measures, say("measures.none"));
    part("measures-part", root).hidden = view.verdict === "refuse";
    this.#paintPrevious(view);
    this.#paintConflicts(view.conflicts ?? []);
    this.#paintCompany(view, others, isUnited);
    this.#layDecisions(view.verdict);
    root.hidden = false;
    part("verdict-details", root).scrollTop = 0;
    part("verdict-heading", root).focus({ preventScroll: true });
  }

  /** The server came to the same verdict as this tablet: add who it is, and say so; the buttons stay as they are. */
  confirm(answer) {
    if (!this.#view) return;
    this.#paintSource({ offline: false }, say("differs.same"));
    this.#paintPerson(answer.person);
    this.#paintPrevious(answer);
    this.#paintConflicts(answer.conflicts ?? []);
    fill(part("reasons", this.#root), answer.reasons, say("reasons.none"));
    fill(part("measures", this.#root), answer.measures, say("measures.none"));
  }

  hide() {
    this.#root.hidden = true;
    this.#root.removeAttribute("data-verdict");
    for (const name of ["name", "facts", "reasons", "measures", "previous"]) part(name, this.#root).replaceChildren();
    this.#view = null;
  }

  #paintSource(view, told) {
    const place = part("verdict-source", this.#root);
    place.textContent = told || (view.offline ? say("verdict.offline") : "");
    place.dataset.tone = told ? "told" : "offline";
    place.hidden = !place.textContent;
  }

  /** The same person scanned elsewhere a moment ago with another decision: two facts, both shown. */
  #paintConflicts(conflicts) {
    const place = part("conflicts", this.#root);
    place.hidden = conflicts.length === 0;
    const lines = conflicts.map((one) =>
      make("li", "", say("conflict.line", { when: when(one.scanned_at), checkpoint: one.checkpoint ?? "", decision: decidedWord(one.decision) })),
    );
    part("conflict-list", this.#root).replaceChildren(...lines);
  }

  /** Who waits together: everybody's own verdict, and whether the next touch is for all of them. */
  #paintCompany(view, others, isUnited) {
    const place = part("company", this.#root);
    place.hidden = others.length === 0;
    place.dataset.united = isUnited ? "yes" : "no";
    part("company-words", this.#root).textContent = say(isUnited ? "company.united" : "company.apart", { count: others.length + 1 });
    const lines = [view, ...others].map((one, number) => {
      const name = one.person?.name ?? say("company.person", { number: number + 1 });
      const mark = make("span", `mini mini-${one.verdict}`, shape(one.verdict));
      const word = make("strong", "", say(`verdict.${one.verdict}`));
      return make("li", number === 0 ? "is-now" : "", mark, make("span", "company-name", name), word);
    });
    part("company-list", this.#root).replaceChildren(...(others.length ? lines : []));
  }

  #paintTier(tier) {
    const badge = part("verdict-tier", this.#root);
    badge.hidden = !tier;
    badge.className = tier ? `tier tier-${tier}` : "";
    badge.replaceChildren(...(tier ? [shape(`tier-${tier}`), make("span", "", say(`tier.${tier}`))] : []));
  }

  #paintPerson(person) {
    const { offline, problem, verdict } = this.#view ?? {};
    const nobody = offline && !problem && verdict !== "refuse" ? "person.offline" : "person.none";
    part("name", this.#root).textContent = person ? person.name : say(nobody);
    part("name", this.#root).classList.toggle("is-nobody", !person);
    const facts = person
      ? [
          ["document", person.id_number],
          ["plate", person.plate],
          ["from", person.origin],
          ["to", person.destination],
          ["companions", person.companions ? say("person.companions.count", { count: person.companions }) : ""],
        ]
      : [];
    const rows = facts
      .filter(([, value]) => value)
      .map(([key, value]) => make("div", `fact-${key}`, make("dt", "", say(`person.${key}`)), make("dd", "", value)));
    part("facts", this.#root).replaceChildren(...rows);
    const state = part("person-state", this.#root);
    state.hidden = !ADDED_STATES.includes(person?.state);
    state.textContent = state.hidden ? "" : say(`person.${person.state}`);
  }

  #paintPrevious({ person, previous }) {
    part("previous-part", this.#root).hidden = !person && !previous;
    const place = part("previous", this.#root);
    if (!previous) {
      place.replaceChildren(make("p", "muted", say("previous.none")));
      return;
    }
    const decision = decidedWord(previous.decision);
    place.replaceChildren(
      make(
        "p",
        "previous-line",
        make("span", `mini mini-${previous.verdict}`, shape(previous.verdict)),
        make("strong", "", decision),
        make("span", "muted", say("previous.line", { when: when(previous.scanned_at), checkpoint: previous.checkpoint ?? "" })),
      ),
    );
  }

  #layDecisions(verdict) {
    for (const button of this.#root.querySelectorAll("[data-decision]")) {
      const { decision } = button.dataset;
      button.classList.toggle("is-asked", askedFor[verdict] === decision);
      button.classList.toggle("is-override", needsReason(verdict, decision));
      button.disabled = false;
    }
    part("skip", this.#root).hidden = verdict !== "refuse";
  }

  #clicked(event) {
    const reason = event.target.closest("[data-reason]");
    if (reason) {
      part("note", this.#root).value = reason.textContent.trim();
      part("note-error", this.#root).hidden = true;
      return;
    }
    if (event.target.closest('[data-gate="override-cancel"]')) {
      this.#closeOverride();
      return;
    }
    if (event.target.closest('[data-gate="skip"]')) {
      this.#skipped();
      return;
    }
    const button = event.target.closest("[data-decision]");
    if (!button || !this.#view) return;
    const { decision } = button.dataset;
    if (needsReason(this.#view.verdict, decision)) this.#openOverride(decision);
    else this.#finish(decision, "");
  }

  #openOverride(decision) {
    this.#overriding = decision;
    part("override", this.#root).hidden = false;
    part("decisions", this.#root).hidden = true;
    part("note", this.#root).value = "";
    part("note-error", this.#root).hidden = true;
    part("override-title", this.#root).focus({ preventScroll: true });
  }

  #closeOverride() {
    this.#overriding = null;
    part("override", this.#root).hidden = true;
    part("decisions", this.#root).hidden = false;
  }

  #overridden(event) {
    event.preventDefault();
    const note = part("note", this.#root).value.trim();
    if (!note) {
      part("note-error", this.#root).hidden = false;
      part("note", this.#root).focus();
      return;
    }
    this.#finish(this.#overriding, note);
  }

  /** One decision a verdict: a second touch of a heavy glove must not send another. */
  #finish(decision, note) {
    if (!this.#view) return;
    this.#view = null;
    this.#decided(decision, note);
  }
}

/** What was decided, as a word; also for a crossing that nobody has decided. */
export function decidedWord(decision) {
  const key = `decided.${decision ?? "none"}`;
  return knows(key) ? say(key) : decision;
}

/** Sentences that the server worded; what it left unworded is shown by its name rather than dropped. */
function fill(list, items, nothing) {
  const lines = (items ?? []).map((item) => {
    const note = item.note ? make("small", "reason-note", item.note) : null;
    return make("li", "", item.text || item.rule || item.kind, note);
  });
  list.replaceChildren(...(lines.length ? lines : [make("li", "muted", nothing)]));
}

