// One key for what is done most, on the card that has the focus. Not while somebody types, and never with Ctrl, Alt or the Windows key.

import { perform } from "./inbox-acts.js";
import { showToast } from "./toast.js";

const ACTS = { a: "acknowledge", c: "call", v: "arrived", d: "done", n: "note" };
const STEPS = { j: 1, k: -1 };

/** Wire the keys below `root`. `words.no_such` is said when the card has no such act. */
export function inboxKeys(root, words) {
  const help = document.querySelector("[data-keys]");
  const opener = document.querySelector("[data-keys-help]");
  const sift = document.querySelector("[data-sift]");
  let at = 0; // where the focus was, for when its card has gone
  let current = "";

  const cards = () => [...root.querySelectorAll(".alert-card, .task-card")];
  const go = (card) => {
    current = card.id;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "center" });
  };
  /** The card with the focus; else the one that took its place. */
  const here = () => {
    const all = cards();
    const focused = document.activeElement?.closest?.(".alert-card, .task-card");
    const found = all.indexOf(focused) >= 0 ? all.indexOf(focused) : all.findIndex(({ id }) => id && id === current);
    if (found >= 0) at = found;
    return { all, found };
  };
  const step = (by) => {
    const { all, found } = here();
    if (all.length) go(all[Math.max(0, Math.min(all.length - 1, found < 0 ? Math.min(at, all.length - 1) : found + by))]);
  };
  const act = (name) => {
    const { all, found } = here();
    const card = all[found < 0 ? Math.min(at, all.length - 1) : found];
    if (!card) return;
    if (current !== card.id || found < 0) go(card);
    if (!perform(card, name)) showToast(words.no_such);
  };
  const press = (key) => {
    if (key in STEPS) step(STEPS[key]);
    else if (key in ACTS) act(ACTS[key]);
    else if (key === "m") document.querySelector("[data-sound]")?.click();
    else if (key === "?") help?.showModal();
    else if (key === "/" && sift) {
      sift.open = true;
      sift.querySelector("[name=last]").focus();
    } else return false;
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (help?.open || event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (press(event.key.length === 1 ? event.key.toLowerCase() : event.key)) event.preventDefault();
  });
  if (help && opener) {
    opener.classList.add("is-ready");
    opener.addEventListener("click", () => help.showModal());
    help.querySelector("[data-keys-close]").addEventListener("click", () => help.close());
  }
  // The list is asked for as soon as something is chosen; the four characters with Enter or when all four stand there.
  sift?.addEventListener("change", (event) => event.target.matches("select") && sift.querySelector("form").requestSubmit());
}
