// Antigen tests at the barrier: a timer for each, kept in IndexedDB, so that a reload or an empty battery loses none. The
// result gives the verdict anew, and the officer decides on the same scan a second time.

import { newId } from "./client.js";
import { afterTest } from "./spot-rules.js";
import { shiftStamp } from "./stamps.js";
import { all, put, remove } from "./store.js";
import { make, part, say, shape } from "./words.js";

const STORE = "tests";
const TICK_MS = 1000;
const RING_EVERY_MS = 20_000;
const FORGET_AFTER_MS = 6 * 3_600_000;
const MOST_ROWS = 40; // painted at once: those that can be read first; the others come up as these are settled

/** Events: `changed` {running, due}, `read` {test, view} when a result was entered and the officer must decide. */
export class SpotTests extends EventTarget {
  #outbox;
  #signals;
  #tests = [];
  #views = new Map();
  #elsewhere = [];
  #panel = document.getElementById("panel-tests");
  #settled = new Set();
  #timer = 0;
  #rang = 0;

  constructor({ outbox, lane, signals }) {
    super();
    this.#outbox = outbox;
    this.#signals = signals;
    lane.addEventListener("judged", ({ detail }) => this.#views.set(detail.scan.scan_id, detail));
    lane.addEventListener("decided", ({ detail }) => this.#decided(detail));
    lane.addEventListener("free", () => this.#views.clear());
    part("tests").onclick = (event) => this.#clicked(event);
    // Nothing is painted that nobody sees; when the panel is opened it is painted at once.
    new MutationObserver(() => this.#paint()).observe(this.#panel, { attributes: true, attributeFilter: ["hidden"] });
  }

  /** Take up the timers that an earlier page left. */
  async restore() {
    const kept = await all(STORE);
    const old = kept.filter((one) => Date.now() - Date.parse(one.started_at) > FORGET_AFTER_MS);
    for (const one of old) await remove(STORE, one.id);
    this.#tests = kept.filter((one) => !old.includes(one)).sort((one, other) => one.due_at - other.due_at);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  /** Whose tests the server knows to be running: those of other tablets can be read here, too. */
  learn(waiting) {
    const own = new Set(this.#tests.map((one) => one.scan_id));
    this.#elsewhere = waiting.filter((one) => !own.has(one.scan_id) && !this.#settled.has(one.scan_id)).map(foreign);
    this.#paint();
  }

  stop() {
    clearInterval(this.#timer);
  }

  get count() {
    return this.#tests.length;
  }

  async #decided({ scan_id, decision }) {
    const seen = this.#views.get(scan_id);
    if (decision === "tested") await this.#begin(scan_id, seen);
    else for (const one of this.#tests.filter((test) => test.scan_id === scan_id)) await this.#drop(one);
  }

  async #begin(scan_id, seen) {
    if (this.#tests.some((one) => one.scan_id === scan_id)) return;
    const minutes = Number(part("tests").dataset.minutes);
    const view = seen?.view ?? {};
    const test = {
      id: newId(),
      scan_id,
      token: seen?.scan.token ?? "",
      view,
      name: view.person?.name ?? "",
      started_at: new Date().toISOString(),
      due_at: Date.now() + minutes * 60_000,
      result: null,
    };
    await put(STORE, test);
    this.#tests.push(test);
    this.#tick();
  }

  /** A strip that showed nothing, or was spilt: the quarter of an hour begins anew. */
  async #again(test) {
    const minutes = Number(part("tests").dataset.minutes);
    Object.assign(test, { started_at: new Date().toISOString(), due_at: Date.now() + minutes * 60_000 });
    await put(STORE, test);
    this.#tick();
  }

  async #read(test, result) {
    const { id, scan_id, started_at } = test;
    const body = { test_id: id, scan_id, result, taken_at: started_at, read_at: new Date().toISOString(), ...shiftStamp() };
    test.result = result;
    this.#settled.add(scan_id);
    await this.#outbox.add({ id, kind: "test", path: "/api/v1/gate/tests", body }, [{ put: STORE, value: { ...test } }]);
    this.#tick();
    this.show(test);
  }

  /** Put the verdict anew before the officer. */
  show(test) {
    const { view, result } = test;
    const after = afterTest({ ...view, result, tier: view.tier ?? null });
    const kept = (view.reasons ?? []).filter((one) => one.rule !== "negative_test_missing");
    const anew = {
      ...view,
      scan_id: test.scan_id,
      verdict: after.verdict,
      tier: result === "positive" ? "red" : view.tier,
      reasons: [{ rule: after.rule, points: 0, text: say(`spot.${after.rule}`) }, ...kept],
      measures: view.measures ?? [],
      person: view.person ?? null,
      previous: view.previous ?? null,
    };
    this.dispatchEvent(new CustomEvent("read", { detail: { test, view: anew } }));
  }

  /** Take over a test that another tablet began. */
  async #take(test) {
    const own = { ...test, id: newId(), elsewhere: false };
    await put(STORE, own);
    this.#tests.push(own);
    this.#elsewhere = this.#elsewhere.filter((one) => one !== test);
    this.#tick();
  }

  async #drop(test) {
    this.#settled.add(test.scan_id);
    this.#tests = this.#tests.filter((one) => one !== test);
    await remove(STORE, test.id);
    this.#tick();
  }

  #clicked(event) {
    const button = event.target.closest("[data-act]");
    const test = [...this.#tests, ...this.#elsewhere].find((one) => one.id === button?.closest("[data-test]")?.dataset.test);
    if (!test) return;
    const { act } = button.dataset;
    if (act === "take") this.#take(test);
    else if (act === "decide") this.show(test);
    else if (act === "again") this.#again(test);
    else if (!test.result) this.#read(test, act);
  }

  #tick() {
    const due = this.#tests.filter((one) => !one.result && one.due_at <= Date.now());
    if (due.length && Date.now() - this.#rang > RING_EVERY_MS) {
      this.#rang = Date.now();
      this.#signals.give("due");
    }
    this.#paint();
    this.dispatchEvent(new CustomEvent("changed", { detail: { running: this.count, due: due.length } }));
  }

  /** The tests that are painted: what can be decided or read first stands first, then those of other tablets. */
  #first() {
    const first = this.#tests.slice().sort((one, other) => urgency(one) - urgency(other));
    return [...first, ...this.#elsewhere].slice(0, MOST_ROWS);
  }

  #paint() {
    if (this.#panel.hidden) return;
    const all = this.#tests.length + this.#elsewhere.length;
    const shown = this.#first();
    const list = part("tests");
    part("tests-empty").hidden = all > 0;
    part("tests-more").hidden = all <= shown.length;
    part("tests-more").textContent = say("spot.more", { count: all - shown.length });
    const rows = new Map([...list.children].map((row) => [row.dataset.test, row]));
    const wanted = shown.map((test) => {
      const state = test.elsewhere ? "elsewhere" : test.result ?? (test.due_at <= Date.now() ? "due" : "running");
      const row = rows.get(test.id);
      return row?.dataset.state === state ? row : line(test, state);
    });
    if (wanted.length !== list.children.length || wanted.some((row, number) => row !== list.children[number])) list.replaceChildren(...wanted);
    for (const [number, test] of shown.entries()) write(wanted[number].querySelector(".test-time"), test.result ? say(`spot.${test.result}`) : left(test));
  }
}

/** A result that waits for its decision comes first, then what is due soonest. */
const urgency = ({ result, due_at }) => (result ? 0 : due_at);

/** Only what changes is written: each write makes the page lay itself out anew. */
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** Minutes and seconds until the result can be read. */
function left({ due_at }) {
  const seconds = Math.round((due_at - Date.now()) / 1000);
  if (seconds <= 0) return say("spot.due");
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function line(test, state) {
  const button = (act, words, className = "") => {
    const made = make("button", className, words);
    made.type = "button";
    made.dataset.act = act;
    return made;
  };
  const acts = test.elsewhere
    ? [button("take", say("spot.take"), "secondary outline")]
    : test.result
      ? [button("decide", say("spot.decide"))]
      : [
        button("negative", say("spot.negative"), "outline"),
        button("positive", say("spot.positive"), "danger outline"),
        button("again", say("spot.again"), "secondary outline"),
      ];
  const row = make(
    "li",
    `test-row is-${state}`,
    make("div", "test-head", make("span", `mini mini-${test.view.tier ?? "none"}`, test.view.tier ? shape(`tier-${test.view.tier}`) : ""), make("strong", "", test.name || say("log.unknown")), make("span", "muted", test.elsewhere ? say("spot.elsewhere") : ""), make("span", "test-time", "")),
    make("div", "test-acts", ...acts),
  );
  row.dataset.test = test.id;
  row.dataset.state = state;
  return row;
}

/** A test of another tablet, as the server tells of it. */
function foreign({ scan_id, name, tier, verdict, reasons, started_at, due_at }) {
  const view = { tier, verdict, reasons, problem: null, person: name ? { name } : null };
  return { id: scan_id, scan_id, token: "", view, name, started_at, due_at: Date.parse(due_at), result: null, elsewhere: true };
}
