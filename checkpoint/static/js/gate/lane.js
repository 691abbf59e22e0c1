// The lane: a code comes in, it is judged by the server or by this tablet, the officer decides, the camera is back. One scan at a
// time; every scan and decision is on the disk before it is shown.

import { best, classifyTyped, FOREIGN, PASS, Repeats, SHORT } from "./codes.js";
import { decisionEntry, newId, scanEntry } from "./client.js";
import { handlers } from "./handlers.js";
import { watchKeys } from "./keys.js";
import { cause } from "./matters.js";
import { busy, clearToast, hint, toast, unbusy } from "./notices.js";
import { scanStamp, shiftStamp } from "./stamps.js";
import { forget, get, recall, write } from "./store.js";
import { decidedWord, VerdictScreen } from "./verdict.js";
import { part, say } from "./words.js";

const PATIENCE_MS = 1200; // so long a verdict waits for the server before the tablet gives its own
const HARSHNESS = { admit: 0, test: 1, hold: 2, refuse: 3 };

/**
 * Events: `judged` {scan, view} when a verdict is painted, `decided` {scan_id, decision, note} when the officer has decided,
 * `free` {} when the camera is back.
 */
export class Lane extends EventTarget {
  #scanner;
  #outbox;
  #signals;
  #log;
  #link;
  #judge;
  #matters;
  #repeats = new Repeats();
  /** Says whether something stands over the lane, so that a keystroke is not a scanned code. */
  isCovered = () => false;
  #current = null; // {record, at, judge, view, timer}
  #verdict = new VerdictScreen({ decided: (decision, note) => this.#decide(decision, note), skipped: () => this.#skip() });
  #field = part("code");

  constructor({ scanner, outbox, signals, log, link, judge, matters }) {
    super();
    this.#scanner = scanner;
    this.#outbox = outbox;
    this.#signals = signals;
    this.#log = log;
    this.#link = link;
    this.#judge = judge;
    this.#matters = matters;
    scanner.addEventListener("codes", ({ detail }) => this.#seen(detail));
    outbox.addEventListener("sent", ({ detail }) => this.#sent(detail));
    outbox.addEventListener("refused", ({ detail }) => this.#refused(detail));
    outbox.addEventListener("waiting", ({ detail }) => this.#waiting(detail));
    outbox.addEventListener("count", ({ detail }) => (link.unsent = detail.count));
    part("code-form").onsubmit = (event) => {
      event.preventDefault();
      this.#typed();
    };
    part("busy-retry").onclick = () => outbox.hurry();
    part("busy-keep").onclick = () => this.#fallBack(this.#current);
    part("busy-drop").onclick = () => this.#giveUp();
    watchKeys({
      field: this.#field,
      isOpen: () => this.#current === null && !this.isCovered(),
      submit: () => this.#typed(),
      refused: () => this.#current && toast(say("decide.first"), "error"),
    });
  }

  /** Whether nobody stands at the barrier. */
  get isFree() {
    return this.#current === null;
  }

  /** Say something on top of the lane; tone `error` stays until the next scan. */
  tell(words, tone = "info") {
    toast(words, tone);
  }

  /** Take up what the page before this one left: `queue` is not sent yet, and perhaps nobody has decided on a scan. */
  async resume(queue) {
    this.#log.settle(queue.map((entry) => entry.id));
    this.#matters.show();
    const held = await recall("held");
    const record = held && (await get("crossings", held.scan_id));
    if (!record || record.decision) return;
    this.#hold(record);
    this.#await(this.#current);
    if (!queue.some((entry) => entry.id === record.scan_id)) await this.#outbox.add(scanEntry(record));
  }

  /**
   * Begin with a code that did not come from the camera: a person tapped in the queue, a registration carried here. `judge(scan)`
   * resolves to the off-line verdict where the code alone says nothing. Resolves to whether the lane was free.
   */
  async take(token, { judge } = {}) {
    if (this.#current) return false;
    await this.#begin(token, undefined, judge);
    return true;
  }

  /** Put a verdict before the officer once more, to decide anew on a scan of before: after a test on the spot. */
  async reopen({ scan_id, token }, view) {
    if (this.#current) return false;
    const record = (await get("crossings", scan_id)) ?? { scan_id, token, scanned_at: new Date().toISOString(), who: null };
    this.#hold(record);
    this.#show(this.#current, view);
    return true;
  }

  #seen({ texts, at }) {
    if (this.#current) return;
    const found = best(texts);
    const again = this.#repeats.seen(found.token ?? found.text, performance.now());
    if (found.kind === PASS) {
      if (!again) this.#begin(found.token, at);
      else if (["idle", "info"].includes(part("hint").dataset.tone)) hint(say("scan.same"));
      return;
    }
    if (handlers.has(found.kind)) {
      if (!again) this.#handOver(found);
      return;
    }
    const words = say(`scan.${found.kind}`);
    const { dataset, textContent } = part("hint"); // what was said about a typed code stands until it lapses
    if (!again || dataset.tone === "idle" || textContent === words) hint(words, "warning");
    if (!again) this.#signals.give("foreign");
  }

  #typed() {
    const text = this.#field.value.trim();
    if (this.#current || !text) return;
    const { kind, token } = classifyTyped(this.#field.value);
    if (kind === PASS || kind === SHORT || handlers.has(kind)) {
      this.#field.value = "";
      this.#field.blur();
      if (handlers.has(kind)) this.#handOver({ kind, text });
      else if (this.#repeats.seen(token, performance.now())) hint(say("scan.same"));
      else this.#begin(token, performance.now());
      return;
    }
    hint(say(kind === FOREIGN && text.length <= 12 ? "scan.short" : `scan.${kind}`), "warning");
    this.#signals.give("foreign");
    this.#field.select();
  }

  /** A code that another module knows. */
  async #handOver({ kind, text }) {
    try {
      await handlers.get(kind)(text);
    } catch {
      hint(say("send.storage"), "error");
    }
  }

  #hold(record, at, judge) {
    this.#current = { record, at, judge, view: null, timer: 0 };
    this.#scanner.pause();
    hint("");
    clearToast();
  }

  async #begin(token, at, judge) {
    const scanned_at = new Date().toISOString();
    this.#hold({ scan_id: newId(), token, scanned_at, ...this.#judge.circumstances(), ...scanStamp() }, at, judge);
    const current = this.#current;
    busy(say("send.busy"));
    try {
      current.record.who = await this.#judge.who(token);
      const { record } = current;
      const held = { put: "kept", key: "held", value: { scan_id: record.scan_id } };
      await this.#outbox.add(scanEntry(record), [{ put: "crossings", value: { ...record } }, held]);
      this.#await(current);
    } catch {
      this.#next();
      hint(say("send.storage"), "error");
    }
  }

  /** Wait for the server, but not for long, and not at all when it is known to be out of reach. */
  #await(current) {
    if (this.#current !== current || current.view) return;
    busy(say("send.busy"));
    if (!current.judge && !this.#judge.canJudge(current.record.token)) {
      current.timer = setTimeout(() => this.#cannot(current), this.#link.isOff ? 0 : PATIENCE_MS);
      return;
    }
    current.timer = setTimeout(() => this.#fallBack(current), this.#link.isOff ? 0 : PATIENCE_MS);
  }

  /** A code that says nothing by itself, and no server: the officer may keep the scan, or scan the QR code instead. */
  #cannot(current) {
    if (this.#current === current && !current.view) busy(say("send.unchecked"), true);
  }

  /** The verdict of this tablet alone; it is written down as such before it is shown. */
  async #fallBack(current) {
    if (!current || this.#current !== current || current.view) return;
    clearTimeout(current.timer);
    const { record } = current;
    const view = await (current.judge ? current.judge(record) : this.#judge.pass(record));
    if (this.#current !== current || current.view) return;
    record.shown = { verdict: view.verdict, tier: view.tier, rules: view.rules };
    Object.assign(record, { verdict: view.verdict, tier: view.tier });
    await this.#outbox.amend(record.scan_id, { offline: true, scan: scanOf(record) }, [{ put: "crossings", value: { ...record } }]);
    if (this.#current === current && !current.view) this.#show(current, view);
  }

  #show(current, view, told = "") {
    current.view = view;
    clearTimeout(current.timer);
    unbusy();
    const nameless = view.offline && view.verdict !== "refuse" ? say("log.nameless") : "";
    this.#log.note(current.record.scan_id, { name: view.person?.name ?? nameless, verdict: view.verdict, state: "held" });
    this.#verdict.show(view, told);
    this.#signals.give(view.verdict);
    painted(current.at);
    current.at = undefined;
    this.#tell("judged", { scan: { ...current.record }, view });
  }

  async #sent({ entry, answer, batch }) {
    this.#link.reached(true);
    if (entry.kind === "decision") this.#decisionSent(entry, batch);
    else if (entry.kind === "scan") await this.#scanSent(entry, answer, batch);
  }

  #decisionSent(entry, batch) {
    const row = this.#log.row(entry.id);
    if (row) this.#log.note(entry.id, { state: "sent" });
    if (batch) return;
    toast(say("decide.recorded", { decision: named(decidedWord(entry.body.decision), row?.name) }), "info");
    this.#signals.give("recorded");
  }

  async #scanSent(entry, answer, batch) {
    const current = this.#current?.record.scan_id === entry.id ? this.#current : null;
    const shown = current ? current.view?.verdict : entry.scan?.shown?.verdict;
    if (current && batch && shown !== answer.verdict) {
      await this.#outbox.add(scanEntry(current.record)); // asked again alone: that answer says why
      return;
    }
    if (current && !shown) {
      this.#answered(current, answer);
      return;
    }
    if (current) current.record.answered = !batch;
    if (!shown || shown === answer.verdict) {
      if (current && !batch) this.#verdict.confirm(answer);
      return;
    }
    if (current) {
      this.#answered(current, answer, say("differs.now", { shown: say(`verdict.${shown}`) }));
      return;
    }
    if (this.#log.row(entry.id)) this.#log.note(entry.id, { server: answer.verdict });
    if (HARSHNESS[answer.verdict] > HARSHNESS[shown]) await this.#matters.differs(entry, shown, answer);
  }

  /** The server's verdict on the scan that is on screen. */
  #answered(current, answer, told) {
    const { record } = current;
    Object.assign(record, { verdict: answer.verdict, tier: answer.tier, answered: true });
    write([{ put: "crossings", value: { ...record } }]).catch(() => {}); // it only tells what was decided last time
    this.#show(current, answer, told);
  }

  async #refused({ entry, problem }) {
    this.#link.reached(true);
    await this.#matters.show();
    if (this.#log.row(entry.id)) this.#log.note(entry.id, { state: "refused" });
    if (entry.kind === "decision") {
      const name = this.#log.row(entry.id)?.name || say("log.unknown");
      toast(say("decide.refused", { name, cause: cause(problem) }), "error");
    } else if (entry.id === this.#current?.record.scan_id && !this.#current.view) {
      await forget("held");
      this.#next();
      hint(say("send.refused", { cause: cause(problem) }), "error");
    }
  }

  #waiting({ attempt }) {
    this.#link.reached(false);
    const current = this.#current;
    if (!current || current.view) return;
    if (current.judge || this.#judge.canJudge(current.record.token)) this.#fallBack(current);
    else busy(`${say("send.waiting", { attempt })} ${say("send.unchecked")}`, true);
  }

  async #decide(decision, note) {
    const { record, view } = this.#current;
    const decided_at = new Date().toISOString();
    this.#log.note(record.scan_id, { decision, state: "sending" });
    const decided = { ...record, verdict: view.verdict, decision, decided_at };
    const entry = decisionEntry(scanOf(record), { decision_id: newId(), decision, note, decided_at, ...shiftStamp() }, Boolean(record.shown) && !record.answered);
    try {
      await this.#outbox.add(entry, [{ put: "crossings", value: decided }, { remove: "kept", key: "held" }]);
    } catch {
      toast(say("send.storage"), "error");
    }
    this.#tell("decided", { scan_id: record.scan_id, decision, note });
    this.#done();
  }

  async #skip() {
    this.#log.note(this.#current.record.scan_id, { decision: "skipped", state: "sent" });
    this.#done();
    await forget("held");
  }

  async #giveUp() {
    const { record } = this.#current ?? {};
    if (!record) return;
    await this.#outbox.abandon(record.scan_id, [{ remove: "crossings", key: record.scan_id }, { remove: "kept", key: "held" }]);
    this.#log.note(record.scan_id, { decision: "given_up", state: "refused" });
    this.#done();
  }

  #done() {
    this.#repeats.seen(this.#current.record.token, performance.now());
    this.#verdict.hide();
    this.#next();
  }

  #next() {
    clearTimeout(this.#current?.timer);
    this.#current = null;
    unbusy();
    this.#scanner.start();
    this.#tell("free", {});
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

const named = (decision, name) => (name ? `${decision} · ${name}` : decision);

/** What a batch tells of a scan. */
function scanOf({ scan_id, token, scanned_at, skew_seconds, snapshot_version, shown, shift_id, vehicle_id }) {
  const optional = Object.entries({ skew_seconds, snapshot_version, shown, shift_id, vehicle_id });
  return { scan_id, token, scanned_at, ...Object.fromEntries(optional.filter(([, value]) => value !== undefined && value !== null)) };
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
