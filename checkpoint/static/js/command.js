// The numbers of command, fetched again when something happened, at most every two seconds, and once a minute anyway.

import { fetchPart, Live } from "./live.js";

const AT_MOST_MS = 2000;
const ANYWAY_MS = 60_000;
const FAILED_MS = 5000;

const root = document.getElementById("command");
const words = JSON.parse(root.dataset.words);
let lastAt = 0;
let asked = 0;
let painted = 0;
let timer;

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
    const fresh = template.content.getElementById("standing");
    for (const number of fresh.querySelectorAll("[data-stat]")) {
      const before = document.querySelector(`[data-stat="${number.dataset.stat}"]`);
      if (before && before.textContent !== number.textContent) number.classList.add("has-changed");
    }
    document.getElementById("standing").replaceWith(fresh);
  } catch {
    // The state beside the title says when the connection is gone; the numbers come as soon as they can.
    clearTimeout(timer);
    timer = setTimeout(refresh, FAILED_MS);
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, Math.max(100, lastAt + AT_MOST_MS - Date.now()));
}

timer = setTimeout(refresh, ANYWAY_MS);
if (root.dataset.live) {
  new Live({
    stream: root.dataset.live,
    changes: root.dataset.changes,
    channel: root.dataset.channel,
    after: Number(document.getElementById("standing").dataset.seq),
    onEvents: soon,
    onReset: soon,
    onState: (state) => {
      const pill = document.querySelector("[data-live-state]");
      pill.hidden = false;
      pill.dataset.liveState = state;
      pill.textContent = words[state];
    },
  }).start();
}
