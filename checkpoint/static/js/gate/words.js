// The words and rules that the page brought along as JSON, and small helpers to build elements from them.

const configuration = JSON.parse(document.getElementById("gate-configuration").textContent);

/** Which decision each verdict asks for, and which decisions need a reason under it. */
export const askedFor = configuration.asked_for;
export const needsReason = (verdict, decision) => (configuration.needs_reason[verdict] ?? []).includes(decision);

/** The sentence of a key, with `{name}` filled in; an unknown key shows itself. */
export function say(key, values = {}) {
  const text = configuration.words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const knows = (key) => key in configuration.words;

const language = document.documentElement.lang || "zh-CN";
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: configuration.timezone });
const moment = new Intl.DateTimeFormat(language, {
  month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: configuration.timezone,
});
const weekday = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: "UTC" });

/** The time of day at the site, and a moment with its day. */
export const hour = (at) => clock.format(new Date(at));
export const when = (at) => moment.format(new Date(at));

/** The names of some weekdays, 1 being Monday. */
export const weekdays = (days) => [...days].sort().map((day) => weekday.format(Date.UTC(2024, 0, day))).join(say("and"));

/** The element that carries `data-gate="name"`. */
export const part = (name, within = document) => within.querySelector(`[data-gate="${name}"]`);

/** A new element: its class, and children that are elements or plain text. */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** The shape of a verdict, from the page's own drawings. */
export function shape(verdict) {
  const drawing = document.getElementById(`shape-${verdict}`);
  return drawing ? drawing.content.firstElementChild.cloneNode(true) : document.createTextNode("");
}
