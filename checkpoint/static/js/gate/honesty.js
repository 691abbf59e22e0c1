// What a verdict rests on, always on screen: how old the list is, how old the withdrawals, how right the clock, what is not sent.
// Each is a shape, a word and a tone, so that colour never stands alone.

import { count } from "./store.js";
import { make, part, say } from "./words.js";

const EVERY_MS = 10_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SKEW_SECONDS = 15 * 60;
const SKEW_TOLD_SECONDS = 60;
const OLD_LIST_HOURS = 48; // where no policy has said otherwise
const OLD_SNAPSHOT_HOURS = 12;

export class Honesty {
  #sources;
  #place = part("honesty");
  #timer;
  #refused = 0;

  constructor(sources) {
    this.#sources = sources; // {link, snapshot, clock, matters}
    for (const source of [sources.link, sources.snapshot]) source.addEventListener("changed", () => this.#paint());
    sources.matters.addEventListener("changed", () => this.recount());
    this.#timer = setInterval(() => this.#paint(), EVERY_MS);
    this.recount();
  }

  stop() {
    clearInterval(this.#timer);
  }

  /** Count anew what the server would not take. */
  async recount() {
    this.#refused = await count("refused").catch(() => 0);
    this.#paint();
  }

  #paint() {
    const { clock, snapshot, link } = this.#sources;
    const held = snapshot.current;
    const signs = [
      this.#list(held, clock.now),
      this.#withdrawals(held, clock.now),
      this.#skew(clock),
      { name: "unsent", tone: link.unsent ? "note" : "good", words: link.unsent ? say("honest.unsent", { count: link.unsent }) : say("honest.sent") },
    ];
    if (this.#refused) signs.push({ name: "refused", tone: "bad", words: say("honest.refused", { count: this.#refused }) });
    this.#place.replaceChildren(...signs.map(sign));
  }

  #list(held, now) {
    const name = "list";
    const confirmed = held?.list?.confirmed_at;
    if (!confirmed) return { name, tone: "bad", words: say("honest.list.none") };
    const age = now - Date.parse(confirmed);
    const old = age > (held.policy.data.list_stale_hours ?? OLD_LIST_HOURS) * HOUR;
    return { name, tone: old ? "bad" : "good", words: say("honest.list", { age: ageWords(age) }) };
  }

  #withdrawals(held, now) {
    const name = "withdrawals";
    if (!held) return { name, tone: "bad", words: say("honest.snapshot.none") };
    const age = now - Date.parse(held.now);
    const old = age > (held.policy.data.snapshot_stale_hours ?? OLD_SNAPSHOT_HOURS) * HOUR;
    return { name, tone: old ? "bad" : "good", words: say("honest.snapshot", { age: ageWords(age) }) };
  }

  #skew(clock) {
    const name = "clock";
    if (!clock.isMeasured) return { name, tone: "note", words: say("honest.clock.unknown") };
    const skew = clock.skewSeconds;
    const wrong = Math.abs(skew);
    if (wrong < SKEW_TOLD_SECONDS) return { name, tone: "good", words: say("honest.clock.right") };
    const words = say(skew > 0 ? "honest.clock.ahead" : "honest.clock.behind", { minutes: Math.round(wrong / 60) });
    return { name, tone: wrong > SKEW_SECONDS ? "bad" : "note", words };
  }
}

/** An age as an officer says it: minutes up to two hours, then hours, then days. */
export function ageWords(span) {
  const age = Math.max(0, span);
  if (age < MINUTE) return say("age.now");
  if (age < 2 * HOUR) return say("age.minutes", { count: Math.floor(age / MINUTE) });
  if (age < 72 * HOUR) return say("age.hours", { count: Math.floor(age / HOUR) });
  return say("age.days", { count: Math.floor(age / (24 * HOUR)) });
}

function sign({ name, tone, words }) {
  const item = make("li", `honest honest-${tone}`, make("span", "honest-mark", ""), make("span", "", words));
  item.dataset.honest = name;
  return item;
}
