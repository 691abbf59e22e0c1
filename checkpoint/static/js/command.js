// The figures of command, fetched again when something happened, at most every two seconds, and every 15 seconds anyway. What is open
// stays open, charts stay and move. When no answer comes the figures say how old they are.

import { fetchPart, Live } from "./live.js";

const AT_MOST_MS = 2000;
const ANYWAY_MS = 15_000;
const FAILED_MS = 5000;
const STALE_MS = 40_000;

const root = document.getElementById("command");
const words = JSON.parse(root.dataset.words);
const stale = document.querySelector("[data-stale]");
let lastAt = 0;
let asked = 0;
let painted = 0;
let paintedAt = Date.now();
let heard = 0; // the newest event that we know of
let timer;
let charts; // the module that draws them, once it is here

const standing = () => document.getElementById("standing");

function put(fresh) {
  for (const number of fresh.querySelectorAll("[data-stat]")) {
    const before = document.querySelector(`[data-stat="${number.dataset.stat}"]`);
    if (before && before.textContent !== number.textContent) number.classList.add("has-changed");
  }
  for (const table of fresh.querySelectorAll("details[data-keep]")) {
    const before = document.querySelector(`details[data-keep="${table.dataset.keep}"]`);
    if (before) table.open = before.open;
  }
  const scrolled = [...document.querySelectorAll("#standing .table-frame")].map((frame) => frame.scrollLeft);
  const focused = document.activeElement?.closest("#standing [data-place], #standing [data-keep]");
  charts?.carry(standing(), fresh);
  standing().replaceWith(fresh);
  charts?.draw(fresh);
  fresh.querySelectorAll(".table-frame").forEach((frame, number) => (frame.scrollLeft = scrolled[number] ?? 0));
  if (focused) refocus(fresh, focused);
}

/** Whoever stands on a tile or a summary with the keyboard still does. */
function refocus(fresh, focused) {
  const { place, keep } = focused.dataset;
  const target = place ? `[data-place="${place}"] a` : `[data-keep="${keep}"] > summary`;
  fresh.querySelector(target)?.focus({ preventScroll: true });
}

async function refresh() {
  lastAt = Date.now();
  const mine = ++asked;
  clearTimeout(timer);
  timer = setTimeout(refresh, ANYWAY_MS);
  try {
    const response = await fetchPart(root.dataset.url);
    if (!response.ok) throw new Error(String(response.status));
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    if (mine < painted) return; // a slow answer does not replace a newer one
    painted = mine;
    paintedAt = Date.now();
    const fresh = template.content.getElementById("standing");
    const seq = Number(fresh.dataset.seq);
    put(fresh);
    showAge();
    if (seq < heard) soon(); // counted for another screen a moment before what we have heard of
  } catch {
    // The state beside the title says when the connection is gone; the numbers come as soon as they can.
    clearTimeout(timer);
    timer = setTimeout(refresh, FAILED_MS);
    showAge();
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, Math.max(100, lastAt + AT_MOST_MS - Date.now()));
}

function showAge() {
  const age = Date.now() - paintedAt;
  const isStale = age > STALE_MS;
  root.toggleAttribute("data-is-stale", isStale);
  if (!stale) return;
  stale.hidden = !isStale;
  const said = isStale ? words.stale.replace("{seconds}", String(Math.round(age / 1000))) : "";
  if (stale.textContent !== said) stale.textContent = said;
}

timer = setTimeout(refresh, ANYWAY_MS);
setInterval(showAge, 1000);
document.addEventListener("visibilitychange", () => document.hidden || soon());

if (document.querySelector("[data-chart]")) {
  import("./command-charts.js")
    .then(async (module) => {
      await module.ready();
      charts = module;
      charts.draw(standing());
    })
    .catch(() => {}); // the tables are there
}

if (root.dataset.live) {
  new Live({
    stream: root.dataset.live,
    changes: root.dataset.changes,
    channel: root.dataset.channel,
    after: Number(standing().dataset.seq),
    onEvents: (events) => {
      heard = Math.max(heard, events[events.length - 1].seq);
      soon();
    },
    onReset: () => {
      heard = 0;
      soon();
    },
    onState: (state) => {
      const pill = document.querySelector("[data-live-state]");
      pill.hidden = false;
      pill.dataset.liveState = state;
      pill.textContent = words[state];
    },
  }).start();
}
