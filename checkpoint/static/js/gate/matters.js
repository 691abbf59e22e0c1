// What a person must look at: what the server would not take, and verdicts given off line that the server sees otherwise.
// It stays on the tablet until somebody has pressed "seen": nothing is dropped in silence.

import { decidedWord } from "./verdict.js";
import { all, put, remove } from "./store.js";
import { make, part, say, when } from "./words.js";

const STORE = "refused";

/** Events: `changed` {}. */
export class Matters extends EventTarget {
  #list = part("matters");
  #part = part("matters-part");

  constructor() {
    super();
    this.#list.onclick = (event) => {
      const row = event.target.closest("button")?.closest("[data-matter]");
      if (row) this.#seen(Number(row.dataset.matter));
    };
  }

  /** Keep that the server judged a scan otherwise than this tablet had. */
  async differs(entry, shown, answer) {
    await put(STORE, { entry: { id: entry.id, kind: "differs" }, shown, server: answer.verdict, at: entry.scan?.scanned_at ?? new Date().toISOString() });
    await this.show();
  }

  /** Keep that the same person was decided otherwise in another lane within minutes: two facts, and somebody must look. */
  async conflict(entry, conflicts, name) {
    const others = conflicts.map(({ scanned_at, checkpoint, decision }) => ({ scanned_at, checkpoint, decision }));
    const at = entry.decided_at ?? new Date().toISOString();
    await put(STORE, { entry: { id: entry.id, kind: "conflict" }, decision: entry.body.decision, others, name, at });
    await this.show();
  }

  async show() {
    const found = await all(STORE);
    this.#part.hidden = found.length === 0;
    this.#list.replaceChildren(...found.reverse().map(line));
    this.dispatchEvent(new CustomEvent("changed"));
  }

  async #seen(number) {
    await remove(STORE, number);
    await this.show();
  }
}

function line(matter) {
  const { number, at } = matter;
  const words = wordsOf(matter);
  const button = make("button", "outline", say("matter.seen"));
  button.type = "button";
  const row = make("li", "matter", make("span", "matter-words", make("strong", "", when(at)), ` ${words}`), button);
  row.dataset.matter = String(number);
  return row;
}

function wordsOf({ entry, problem, shown, server, decision, others, name }) {
  if (entry.kind === "differs") return say("matter.differs", { shown: say(`verdict.${shown}`), server: say(`verdict.${server}`) });
  if (entry.kind === "conflict") {
    const lines = others.map((one) => say("conflict.line", { when: when(one.scanned_at), checkpoint: one.checkpoint ?? "", decision: decidedWord(one.decision) }));
    return say("matter.conflict", { name: name || say("log.unknown"), decision: decidedWord(decision), others: lines.join(say("and")) });
  }
  return say("matter.refused", { what: whatOf(entry), cause: cause(problem) });
}

function whatOf({ kind, body }) {
  if (kind === "decision") return say("matter.decision", { decision: decidedWord(body.decision) });
  const words = say(`matter.${kind}`);
  return words === `matter.${kind}` ? say("matter.other") : words;
}

/** The server's own words for what was wrong, with each field's. */
export function cause(problem) {
  const fields = (problem?.problem?.errors ?? []).map((one) => one.message).join(" ");
  return fields || problem?.problem?.detail || problem?.message || String(problem?.status ?? "");
}
