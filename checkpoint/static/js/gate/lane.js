// The lane: a code comes in, the server judges it, the officer decides, the camera is back. One scan at a time.

import { classifyTyped, best, FOREIGN, PASS, Repeats, SHORT } from "./codes.js";
import { decisionEntry, newId, scanEntry } from "./client.js";
import { handlers } from "./handlers.js";
import { watchKeys } from "./keys.js";
import { forget, keep, recall } from "./store.js";
import { decidedWord, VerdictScreen } from "./verdict.js";
import { part, say } from "./words.js";

const HINT_MS = 2500;
const TOAST_MS = 4000;

/** Events: `judged` {scan, view} when a verdict is painted, `decided` {scan_id, decision, note} when the officer has decided. */
export class Lane extends EventTarget {
  #scanner;
  #outbox;
  #signals;
  #log;
  #repeats = new Repeats();
  #current = null;
  #link;
  #hintTimer = 0;
  #toastTimer = 0;
  #verdict = new VerdictScreen({ decided: (decision, note) => this.#decide(decision, note), skipped: () => this.#skip() });
  #field = part("code");

  constructor({ scanner, outbox, signals, log, link }) {
    super();
    this.#link = link;
    this.#scanner = scanner;
    this.#outbox = outbox;
    this.#signals = signals;
    this.#log = log;
    scanner.addEventListener("codes", ({ detail }) => this.#seen(detail));
    outbox.addEventListener("sent", ({ detail }) => this.#sent(detail));
    outbox.addEventListener("refused", ({ detail }) => this.#refused(detail));
    outbox.addEventListener("waiting", ({ detail }) => this.#waiting(detail));
    outbox.addEventListener("count", ({ detail }) => (link.unsent = detail.count));
    part("code-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#typed();
    });
    part("busy-retry").addEventListener("click", () => outbox.hurry());
    part("busy-drop").addEventListener("click", () => this.#giveUp());
    watchKeys({
      field: this.#field,
      isOpen: () => this.#current === null,
      submit: () => this.#typed(),
      refused: () => this.#toast(say("decide.first"), "error"),
    });
  }

  /** Take up what the page before this one left: an unsent decision, a scan without an answer, a verdict not decided. */
  async resume() {
    const held = await recall("held");
    const queue = await this.#outbox.restore();
    this.#log.settle(queue.map((entry) => entry.id));
    if (!held) return;
    if (queue.some((entry) => entry.id === held.scan_id && entry.kind === "decision")) {
      await forget("held");
      return;
    }
    this.#current = held;
    this.#scanner.pause();
    this.#busy(say("send.busy"), false);
    if (!queue.some((entry) => entry.id === held.scan_id)) await this.#outbox.add(scanEntry(held));
  }

  #seen({ texts, at }) {
    if (this.#current) return;
    const found = best(texts);
    const name = found.token ?? found.text;
    const again = this.#repeats.seen(name, performance.now());
    if (found.kind === PASS) {
      if (!again) this.#begin(found.token, at);
      else if (["idle", "info"].includes(part("hint").dataset.tone)) this.#hint(say("scan.same"), "info");
      return;
    }
    if (handlers.has(found.kind)) {
      if (!again) this.#handOver(found);
      return;
    }
    const words = say(`scan.${found.kind}`);
    const { dataset, textContent } = part("hint"); // what was said about a typed code stands until it lapses
    if (!again || dataset.tone === "idle" || textContent === words) this.#hint(words, "warning");
    if (!again) this.#signals.give("foreign");
  }

  #typed() {
    if (this.#current || !this.#field.value.trim()) return;
    const { kind, token } = classifyTyped(this.#field.value);
    if (kind === PASS || kind === SHORT) {
      this.#field.value = "";
      this.#field.blur();
      if (this.#repeats.seen(token, performance.now())) this.#hint(say("scan.same"), "info");
      else this.#begin(token, performance.now());
      return;
    }
    if (handlers.has(kind)) {
      this.#handOver({ kind, text: this.#field.value.trim() });
      this.#field.value = "";
      return;
    }
    const isLong = this.#field.value.trim().length > 12;
    this.#hint(say(kind === FOREIGN && !isLong ? "scan.short" : `scan.${kind}`), "warning");
    this.#signals.give("foreign");
    this.#field.select();
  }

  /** A code that another module knows. */
  async #handOver({ kind, text }) {
    try {
      await handlers.get(kind)(text);
    } catch {
      this.#hint(say("send.storage"), "error");
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async #begin(token, at) {
    const scan = { scan_id: newId(), token, scanned_at: new Date().toISOString() };
    this.#current = { ...scan, at };
    this.#scanner.pause();
    this.#hint("", "info");
    if (part("toast").dataset.tone !== "error") part("toast").hidden = true;
    this.#busy(say("send.busy"), false);
    try {
      await Promise.all([keep("held", scan), this.#outbox.add(scanEntry(scan))]);
    } catch {
      this.#next();
      this.#hint(say("send.storage"), "error");
    }
  }

  #sent({ entry, answer }) {
    this.#link.reached(true);
    if (entry.kind === "decision") {
      const row = this.#log.row(entry.id);
      this.#log.note(entry.id, { state: "sent" });
      this.#toast(say("decide.recorded", { decision: named(decidedWord(entry.body.decision), row?.name) }), "info");
      this.#signals.give("recorded");
      return;
    }
    if (entry.id !== this.#current?.scan_id) return;
    this.#log.note(entry.id, { name: answer.person?.name ?? "", verdict: answer.verdict, state: "held" });
    this.#unbusy();
    this.#verdict.show(answer);
    this.#signals.give(answer.verdict);
    painted(this.#current.at);
    this.#tell("judged", { scan: this.#current, view: answer });
  }

  async #refused({ entry, problem }) {
    this.#link.reached(true);
    this.#log.note(entry.id, { state: "refused" });
    if (entry.kind === "decision") {
      const name = this.#log.row(entry.id)?.name || say("log.unknown");
      this.#toast(say("decide.refused", { name, cause: cause(problem) }), "error");
      return;
    }
    if (entry.id !== this.#current?.scan_id) return;
    await forget("held");
    this.#next();
    this.#hint(say("send.refused", { cause: cause(problem) }), "error");
  }

  #waiting({ attempt }) {
    this.#link.reached(false);
    if (this.#current) this.#busy(say("send.waiting", { attempt }), true);
  }

  async #decide(decision, note) {
    const { scan_id, token } = this.#current;
    this.#log.note(scan_id, { decision, state: "sending" });
    try {
      await this.#outbox.add(decisionEntry(scan_id, decision, note));
    } catch {
      this.#toast(say("send.storage"), "error");
    }
    this.#tell("decided", { scan_id, decision, note });
    await this.#done(token);
  }

  async #skip() {
    const { scan_id, token } = this.#current;
    this.#log.note(scan_id, { decision: "skipped", state: "sent" });
    await this.#done(token);
  }

  async #giveUp() {
    const { scan_id, token } = this.#current ?? {};
    if (!scan_id) return;
    await this.#outbox.abandon(scan_id);
    this.#log.note(scan_id, { decision: "given_up", state: "refused" });
    this.#repeats.seen(token, performance.now());
    await forget("held");
    this.#next();
  }

  async #done(token) {
    this.#repeats.seen(token, performance.now());
    this.#verdict.hide();
    this.#next();
    await forget("held");
  }

  #next() {
    this.#current = null;
    this.#unbusy();
    this.#scanner.start();
  }

  #busy(words, stuck) {
    if (this.#verdict.isShown) return;
    part("busy").hidden = false;
    part("busy-words").textContent = words;
    part("busy-more").hidden = !stuck;
  }

  #unbusy() {
    part("busy").hidden = true;
  }

  #hint(words, tone) {
    clearTimeout(this.#hintTimer);
    const place = part("hint");
    place.dataset.tone = words ? tone : "idle";
    const text = words || say("scan.ready");
    if (place.textContent !== text) place.textContent = text;
    if (words && tone !== "error") this.#hintTimer = setTimeout(() => this.#hint("", "info"), HINT_MS);
  }

  #toast(words, tone) {
    const place = part("toast");
    place.textContent = words;
    place.dataset.tone = tone;
    place.hidden = false;
    clearTimeout(this.#toastTimer);
    if (tone !== "error") this.#toastTimer = setTimeout(() => (place.hidden = true), TOAST_MS);
  }
}

const named = (decision, name) => (name ? `${decision} · ${name}` : decision);

/** The server's own words for what was wrong, with each field's. */
function cause(problem) {
  const fields = (problem.problem?.errors ?? []).map((one) => one.message).join(" ");
  return fields || problem.message || String(problem.status);
}

/** Measure from the frame that held the code to the painted verdict: `performance` keeps it as scan-to-verdict. */
function painted(at) {
  if (at === undefined) return;
  requestAnimationFrame(() => {
    const channel = new MessageChannel(); // its message is handled after this frame's paint
    channel.port1.onmessage = () => performance.measure("scan-to-verdict", { start: at, end: performance.now() });
    channel.port2.postMessage(null);
  });
}
