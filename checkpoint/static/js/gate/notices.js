// What the lane says beside the verdict: the hint under the picture, the short message on top, the screen while a scan is under way.

import { part, say } from "./words.js";

const HINT_MS = 2500;
const TOAST_MS = 4000;

let hintTimer = 0;
let toastTimer = 0;

/** The line under the picture; without words it says that the lane is ready. An error stays until something else is said. */
export function hint(words, tone = "info") {
  clearTimeout(hintTimer);
  const place = part("hint");
  place.dataset.tone = words ? tone : "idle";
  const text = words || say("scan.ready");
  if (place.textContent !== text) place.textContent = text;
  if (words && tone !== "error") hintTimer = setTimeout(() => hint(""), HINT_MS);
}

/** A message on top of everything; an error stays until the next scan. */
export function toast(words, tone) {
  const place = part("toast");
  place.textContent = words;
  place.dataset.tone = tone;
  place.hidden = false;
  clearTimeout(toastTimer);
  if (tone !== "error") toastTimer = setTimeout(() => (place.hidden = true), TOAST_MS);
}

export function clearToast() {
  if (part("toast").dataset.tone !== "error") part("toast").hidden = true;
}

/** Cover the picture while a scan is under way; `choices` offers what can be done when it takes long. */
export function busy(words, choices = false) {
  part("busy").hidden = false;
  part("busy-words").textContent = words;
  part("busy-more").hidden = !choices;
}

export function unbusy() {
  part("busy").hidden = true;
}
