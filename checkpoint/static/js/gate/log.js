// The last scans of this session: who (masked), which verdict, what was decided, and whether the server has it. Nothing can be undone here.

import { decidedWord } from "./verdict.js";
import { hour, make, part, say, shape } from "./words.js";

const KEY = "checkpoint-gate-log";
const LONGEST = 30;

export class SessionLog {
  #rows = [];
  #list = part("log");

  constructor() {
    try {
      this.#rows = JSON.parse(sessionStorage.getItem(KEY)) ?? [];
    } catch {
      this.#rows = [];
    }
    this.#paint();
  }

  /** Add or change the row of a scan: `{id, at, name, verdict, decision, state}`; state is held, sending, sent or refused. */
  note(id, changes) {
    const row = this.#rows.find((one) => one.id === id);
    if (row) Object.assign(row, changes);
    else this.#rows.unshift({ id, at: Date.now(), ...changes });
    this.#rows.length = Math.min(this.#rows.length, LONGEST);
    this.#store();
    this.#paint();
  }

  /** After a reload: what the outbox no longer holds has arrived. */
  settle(unsent) {
    for (const row of this.#rows) if (row.state === "sending" && !unsent.includes(row.id)) row.state = "sent";
    this.#store();
    this.#paint();
  }

  row(id) {
    return this.#rows.find((one) => one.id === id);
  }

  clear() {
    this.#rows = [];
    sessionStorage.removeItem(KEY);
    this.#paint();
  }

  #store() {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(this.#rows));
    } catch {
      // a full or forbidden storage costs the log its memory over a reload, nothing else
    }
  }

  #paint() {
    const shown = this.#rows.filter((row) => row.state !== "held");
    part("log-empty").hidden = shown.length > 0;
    this.#list.replaceChildren(...shown.map(line));
  }
}

function stateOf({ state, server }) {
  if (server) return say("log.differs", { verdict: say(`verdict.${server}`) });
  if (state === "sending") return say("log.sending");
  return state === "refused" ? say("log.refused") : "";
}

function line(row) {
  const state = stateOf(row);
  const item = make(
    "li",
    `log-row is-${row.state}`,
    make("span", `mini mini-${row.verdict ?? "none"}`, row.verdict ? shape(row.verdict) : ""),
    make("span", "log-name", row.name || say("log.unknown")),
    make("span", "log-decision", decidedWord(row.decision)),
    make("time", "log-time muted", hour(row.at)),
    state && make("span", "log-state", state),
  );
  item.dataset.scan = row.id;
  return item;
}
