// The lane on one screen: today's counts, who registered here by the poster (a tap instead of a scan), running tests, the
// vehicle at hand, and the other tablets. Asked every few seconds and after whatever was sent.

import { keep, recall } from "./store.js";
import { hour, make, part, say, shape } from "./words.js";

const KEY = "board-tab";
const EVERY_MS = 5000;
const SOON_MS = 400;
const VERDICTS = ["admit", "test", "hold", "refuse"];

/** Events: `lane` {answer} at each answer, `wanted` {token} when somebody in the queue was tapped. */
export class Board extends EventTarget {
  #client;
  #timer = 0;
  #asking = false;
  #stopped = false;
  #queue = [];

  constructor({ client, outbox }) {
    super();
    this.#client = client;
    outbox.addEventListener("sent", () => this.soon());
    window.addEventListener("online", () => this.soon());
    document.addEventListener("visibilitychange", () => this.soon());
    part("board-tabs").onclick = (event) => {
      const name = event.target.closest("[data-tab]")?.dataset.tab;
      this.#tab(name);
      if (name) keep(KEY, name).catch(() => {}); // a convenience only
    };
    part("queue").onclick = (event) => {
      const id = event.target.closest("[data-person]")?.dataset.person;
      if (id) this.dispatchEvent(new CustomEvent("wanted", { detail: { token: `ID:${id}` } }));
    };
  }

  async start() {
    this.#stopped = false;
    this.#tab(await recall(KEY)); // the panel that was open last on this tablet
    this.#ask();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Ask in a moment rather than at the next beat. */
  soon() {
    this.#later(SOON_MS);
  }

  /** Show one of the panels: queue, tests, vehicle, log or tablets. */
  show(name) {
    this.#tab(name);
  }

  #later(wait) {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.#ask(), wait);
  }

  async #ask() {
    if (this.#asking || this.#stopped) return;
    if (document.hidden) {
      this.#later(EVERY_MS);
      return;
    }
    this.#asking = true;
    try {
      const answer = await this.#client.call("/api/v1/gate/lane");
      this.#paint(answer);
      part("board").dataset.stale = "no";
      this.dispatchEvent(new CustomEvent("lane", { detail: { answer } }));
    } catch {
      part("board").dataset.stale = "yes"; // what stands there is the last that was known; the header says that the network is gone
    } finally {
      this.#asking = false;
      this.#later(EVERY_MS * (0.8 + Math.random() * 0.4));
    }
  }

  #paint({ now, scans, verdicts, decisions, queue, tablets }) {
    part("board-scans").textContent = String(scans);
    part("board-verdicts").replaceChildren(
      ...VERDICTS.map((verdict) => {
        const item = make("span", "board-count", make("span", `mini mini-${verdict}`, shape(verdict)), String(verdicts[verdict] ?? 0));
        item.title = say(`verdict.${verdict}`);
        item.setAttribute("aria-label", `${say(`verdict.${verdict}`)} ${verdicts[verdict] ?? 0}`);
        return item;
      }),
    );
    part("board-decisions").textContent = say("board.decisions", { admitted: decisions.admitted ?? 0, turned: decisions.turned_back ?? 0, held: (decisions.held ?? 0) + (decisions.transferred ?? 0) });
    part("board-time").textContent = say("board.time", { time: hour(now) });
    this.#queue = queue;
    this.#paintQueue();
    part("tablets").replaceChildren(...tablets.map((one) => tabletLine(one, now)));
    part("tab-tablets-count").textContent = String(tablets.length);
  }

  #paintQueue() {
    part("queue-empty").hidden = this.#queue.length > 0;
    part("tab-queue-count").textContent = String(this.#queue.length);
    part("queue").replaceChildren(...this.#queue.map(queueLine));
  }

  #tab(name) {
    if (!name) return;
    for (const tab of part("board-tabs").querySelectorAll("[data-tab]")) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      document.getElementById(`panel-${tab.dataset.tab}`).hidden = !chosen;
    }
  }
}

function queueLine(one) {
  const more = [one.id_number.slice(-4), one.plate, one.companions ? say("person.companions.count", { count: one.companions }) : ""];
  const button = make(
    "button",
    "queue-person",
    make("span", `mini mini-${one.tier}`, shape(`tier-${one.tier}`)),
    make("strong", "", one.name),
    make("span", "muted queue-more", more.filter(Boolean).join(" · ")),
    make("time", "muted", hour(one.registered_at)),
  );
  button.type = "button";
  button.dataset.person = one.registration_id;
  button.title = say(`tier.${one.tier}`);
  return make("li", "", button);
}

function tabletLine(one, now) {
  const minutes = one.last_seen_at ? Math.max(0, Math.floor((Date.parse(now) - Date.parse(one.last_seen_at)) / 60_000)) : null;
  const seen = minutes === null ? say("tablet.never") : minutes < 3 ? say("tablet.now") : say("tablet.ago", { minutes });
  const label = one.is_this ? say("tablet.this", { label: one.label }) : one.label;
  const item = make("li", "tablet-line", make("strong", "", label), make("span", "", one.officer || say("tablet.nobody")), make("span", "muted", seen));
  item.dataset.seen = minutes !== null && minutes < 3 ? "yes" : "no";
  return item;
}
