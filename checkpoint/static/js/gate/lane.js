// The lane: a code comes in, it is judged by the server or by this tablet, the officer decides, the camera is back. One scan at a
// time; every scan and decision is on the disk before it is shown.

import { best, classifyTyped, FOREIGN, PASS, Repeats, SHORT } from "./codes.js";
import { decisionEntry, newId, scanEntry } from "./client.js";
import { everyone, heldOf, isUnited, painted, scanOf } from "./company.js";
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
  #current = null; // {record, at, judge, view, isShown, timer, company: [{record, judge, view}]}
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
    const company = [];
    for (const one of held.company ?? []) company.push({ record: await get("crossings", one.scan_id), view: one.view });
    this.#hold({ record, view: held.view ?? null }, { company: company.filter((one) => one.record) });
    const current = this.#current;
    // What the code alone does not say (a carried declaration is sealed by now) comes back as it was shown; a pass is judged anew.
    if (!this.#judge.canJudge(record.token) && everyone(current).every(({ view }) => view)) this.#show(current);
    else {
      for (const one of everyone(current)) one.view = null;
      this.#await(current);
    }
    const unsent = everyone(current).filter((one) => !queue.some((entry) => entry.id === one.record.scan_id));
    if (unsent.length) await this.#outbox.addAll(unsent.map((one) => scanEntry(one.record)));
  }

  /**
   * Begin with a code that did not come from the camera: a person tapped in the queue, a registration carried here. `judge(scan)`
   * resolves to the off-line verdict where the code alone says nothing; `company` are those who came along, `{token, judge}` each.
   * Resolves to whether the lane was free.
   */
  async take(token, { judge, company } = {}) {
    if (this.#current) return false;
    await this.#begin(token, undefined, judge, company);
    return true;
  }

  /** Put a verdict before the officer once more, to decide anew on a scan of before: after a test on the spot. */
  async reopen({ scan_id, token }, view) {
    if (this.#current) return false;
    const record = (await get("crossings", scan_id)) ?? { scan_id, token, scanned_at: new Date().toISOString(), who: null };
    this.#hold({ record, view });
    this.#show(this.#current);
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

  #hold({ record, judge, view = null }, { at, company = [] } = {}) {
    this.#current = { record, at, judge, view, company, isShown: false, timer: 0 };
    this.#scanner.pause();
    hint("");
    clearToast();
  }

  async #begin(token, at, judge, company = []) {
    const circumstances = { scanned_at: new Date().toISOString(), ...this.#judge.circumstances(), ...scanStamp() };
    const [first, ...others] = [{ token, judge }, ...company].map((one) => {
      const record = { scan_id: newId(), token: one.token, ...circumstances };
      return { judge: one.judge, view: null, record };
    });
    this.#hold(first, { at, company: others });
    const current = this.#current;
    busy(say("send.busy"));
    try {
      const people = everyone(current);
      for (const { record } of people) record.who = await this.#judge.who(record.token);
      const changes = people.map(({ record }) => ({ put: "crossings", value: { ...record } }));
      await this.#outbox.addAll(people.map(({ record }) => scanEntry(record)), [...changes, heldOf(people)]);
      this.#await(current);
    } catch {
      this.#next();
      hint(say("send.storage"), "error");
    }
  }

  /** Wait for the server, but not for long, and not at all when it is known to be out of reach. */
  #await(current) {
    if (this.#current !== current || current.isShown) return;
    busy(say("send.busy"));
    if (!current.judge && !this.#judge.canJudge(current.record.token)) {
      current.timer = setTimeout(() => this.#cannot(current), this.#link.isOff ? 0 : PATIENCE_MS);
      return;
    }
    current.timer = setTimeout(() => this.#fallBack(current), this.#link.isOff ? 0 : PATIENCE_MS);
  }

  /** A code that says nothing by itself, and no server: the officer may keep the scan, or scan the QR code instead. */
  #cannot(current) {
    if (this.#current === current && !current.isShown) busy(say("send.unchecked"), true);
  }

  /** The verdict of this tablet alone; it is written down as such before it is shown. */
  async #fallBack(current) {
    if (!current || this.#current !== current || current.isShown) return;
    clearTimeout(current.timer);
    for (const one of everyone(current)) if (!one.view) await this.#judgeHere(current, one);
    if (this.#current === current && !current.isShown) this.#show(current);
  }

  async #judgeHere(current, one) {
    const { record } = one;
    const view = await (one.judge ? one.judge(record) : this.#judge.pass(record));
    if (this.#current !== current || one.view) return;
    record.shown = { verdict: view.verdict, tier: view.tier, rules: view.rules };
    Object.assign(record, { verdict: view.verdict, tier: view.tier });
    const held = heldOf(everyone(current).map((other) => (other === one ? { record, view } : other)));
    await this.#outbox.amend(record.scan_id, { offline: true, scan: scanOf(record) }, [{ put: "crossings", value: { ...record } }, held]);
    one.view ??= view;
  }

  #show(current, told = "") {
    const { view } = current;
    current.isShown = true;
    clearTimeout(current.timer);
    unbusy();
    this.#verdict.show(view, told, { others: current.company.map((one) => one.view), isUnited: isUnited(current) });
    this.#signals.give(view.verdict);
    painted(current.at);
    current.at = undefined;
    const announced = isUnited(current) ? everyone(current).reverse() : [current]; // the one on screen last: their document is at hand
    for (const one of announced) {
      const nameless = one.view.offline && one.view.verdict !== "refuse" ? say("log.nameless") : "";
      this.#log.note(one.record.scan_id, { name: one.view.person?.name ?? nameless, verdict: one.view.verdict, state: "held" });
      this.#tell("judged", { scan: { ...one.record }, view: one.view });
    }
  }

  async #sent({ entry, answer, batch }) {
    this.#link.reached(true);
    if (entry.kind === "decision") await this.#decisionSent(entry, answer, batch);
    else if (entry.kind === "scan") await this.#scanSent(entry, answer, batch);
  }

  async #decisionSent(entry, answer, batch) {
    const row = this.#log.row(entry.id);
    if (row) this.#log.note(entry.id, { state: "sent" });
    if (answer?.conflicts?.length) await this.#matters.conflict(entry, answer.conflicts, answer.person?.name ?? row?.name ?? "");
    if (batch) return;
    toast(say("decide.recorded", { decision: named(decidedWord(entry.body.decision), row?.name) }), "info");
    this.#signals.give("recorded");
  }

  async #scanSent(entry, answer, batch) {
    const current = this.#current;
    const one = this.#waitingFor(entry.id);
    const shown = one ? (current.isShown ? one.view.verdict : undefined) : entry.scan?.shown?.verdict;
    if (one && batch && shown !== answer.verdict) {
      await this.#outbox.add(scanEntry(one.record)); // asked again alone: that answer says why
      return;
    }
    if (one && !shown) {
      this.#answered(current, one, answer);
      return;
    }
    if (one) one.record.answered = !batch;
    if (!shown || shown === answer.verdict) {
      if (one && one === current && !batch) this.#verdict.confirm(answer);
      return;
    }
    if (one) {
      this.#answered(current, one, answer, say("differs.now", { shown: say(`verdict.${shown}`) }));
      return;
    }
    if (this.#log.row(entry.id)) this.#log.note(entry.id, { server: answer.verdict });
    if (HARSHNESS[answer.verdict] > HARSHNESS[shown]) await this.#matters.differs(entry, shown, answer);
  }

  /** Who of those at the barrier a scan is about. */
  #waitingFor(id) {
    return this.#current ? everyone(this.#current).find(({ record }) => record.scan_id === id) : undefined;
  }

  /** The server's verdict on one of those at the barrier; shown once everybody has theirs. */
  #answered(current, one, answer, told) {
    const { record } = one;
    Object.assign(record, { verdict: answer.verdict, tier: answer.tier, answered: true });
    one.view = answer;
    const people = everyone(current);
    write([{ put: "crossings", value: { ...record } }, heldOf(people)]).catch(() => {}); // for a reload, and to tell what was decided last time
    if (people.every(({ view }) => view)) this.#show(current, told);
  }

  async #refused({ entry, problem }) {
    this.#link.reached(true);
    await this.#matters.show();
    if (this.#log.row(entry.id)) this.#log.note(entry.id, { state: "refused" });
    if (entry.kind === "decision") {
      const name = this.#log.row(entry.id)?.name || say("log.unknown");
      toast(say("decide.refused", { name, cause: cause(problem) }), "error");
    } else if (this.#waitingFor(entry.id) && !this.#current.isShown) {
      await forget("held");
      this.#next();
      hint(say("send.refused", { cause: cause(problem) }), "error");
    }
  }

  #waiting({ attempt }) {
    this.#link.reached(false);
    const current = this.#current;
    if (!current || current.isShown) return;
    if (current.judge || this.#judge.canJudge(current.record.token)) this.#fallBack(current);
    else busy(`${say("send.waiting", { attempt })} ${say("send.unchecked")}`, true);
  }

  async #decide(decision, note) {
    const current = this.#current;
    const decided_at = new Date().toISOString();
    const people = isUnited(current) ? everyone(current) : [current];
    const rest = isUnited(current) ? [] : current.company;
    const entries = [];
    const changes = [rest.length ? heldOf(rest) : { remove: "kept", key: "held" }];
    for (const { record, view } of people) {
      this.#log.note(record.scan_id, { decision, state: "sending" });
      changes.push({ put: "crossings", value: { ...record, verdict: view.verdict, decision, decided_at } });
      const made = { decision_id: newId(), decision, note, decided_at, ...shiftStamp() };
      entries.push(decisionEntry(scanOf(record), made, Boolean(record.shown) && !record.answered));
    }
    try {
      await this.#outbox.addAll(entries, changes);
    } catch {
      toast(say("send.storage"), "error");
    }
    for (const { record } of people) this.#tell("decided", { scan_id: record.scan_id, decision, note });
    this.#done(rest);
  }

  async #skip() {
    const { record, company } = this.#current;
    this.#log.note(record.scan_id, { decision: "skipped", state: "sent" });
    this.#done(company);
    await write([company.length ? heldOf(company) : { remove: "kept", key: "held" }]);
  }

  async #giveUp() {
    if (!this.#current) return;
    for (const { record } of everyone(this.#current)) {
      await this.#outbox.abandon(record.scan_id, [{ remove: "crossings", key: record.scan_id }, { remove: "kept", key: "held" }]);
      this.#log.note(record.scan_id, { decision: "given_up", state: "refused" });
    }
    this.#done();
  }

  /** The lane is free again, or the next of those who came together stands before the officer. */
  #done([next, ...company] = []) {
    this.#repeats.seen(this.#current.record.token, performance.now());
    this.#verdict.hide();
    if (!next) {
      this.#next();
      return;
    }
    this.#hold(next, { company });
    this.#show(this.#current);
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
