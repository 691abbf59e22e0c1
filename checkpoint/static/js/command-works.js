// How far the work of a changed list is: the same table that painted the page, fetched again while something is left.

import { fetchPart } from "./live.js";

const RUNNING_MS = 1000;
const IDLE_MS = 15_000;
const box = document.querySelector("[data-works]");

async function refresh() {
  try {
    const response = await fetchPart(box.dataset.works);
    if (response.ok) {
      const template = document.createElement("template");
      template.innerHTML = await response.text();
      const fresh = template.content.getElementById("works");
      if (fresh) box.replaceChildren(fresh);
    }
  } catch {
    // The next round asks again.
  }
  again();
}

function again() {
  const running = box.querySelector("#works")?.dataset.running === "1";
  setTimeout(refresh, running ? RUNNING_MS : IDLE_MS);
}

if (box) again();
