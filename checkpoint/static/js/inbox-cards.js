// Putting cards in their place: the same partial that painted the page, fetched again when an alert is raised or moves on.
// What somebody is typing in a card outlives its replacement.

/** Parse a partial into its first element. */
export function parsePart(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

const number = (raw, empty) => (raw === "" || raw === undefined ? empty : Number(raw));

/** Red first, then the nearest deadline, then the newest; among notices and closed ones the newest first. */
export function comesBefore(one, other, view) {
  const [mine, theirs] = [one.dataset, other.dataset];
  const byAge = number(theirs.created, 0) - number(mine.created, 0);
  if (view !== "now") return byAge < 0;
  const byRank = number(mine.rank, 9) - number(theirs.rank, 9);
  if (byRank) return byRank < 0;
  const [due, otherDue] = [number(mine.due, Infinity), number(theirs.due, Infinity)];
  return due === otherDue ? byAge < 0 : due < otherDue;
}

/** Whether somebody has typed something into a card that was not sent yet. */
export function isBeingWritten(card) {
  return [...card.querySelectorAll("textarea")].some((area) => area.value.trim());
}

/** Carry open panels, words being typed, what was opened, and the focus from a card to its replacement. */
export function carryOver(old, fresh) {
  for (const panel of old.querySelectorAll("details[data-panel][open]")) {
    fresh.querySelector(`details[data-panel="${panel.dataset.panel}"]`)?.setAttribute("open", "");
  }
  for (const area of old.querySelectorAll("textarea")) {
    const place = area.value && fresh.querySelector(`#${CSS.escape(area.id)}`);
    if (place) place.value = area.value;
  }
  const [shown, place] = [old.querySelector("[data-revealed]"), fresh.querySelector("[data-revealed]")];
  if (shown?.firstElementChild && place) place.replaceChildren(...shown.childNodes);
  return old.contains(document.activeElement) ? document.activeElement.id : "";
}

/** Put `fresh` into the list where it belongs, in place of the card it replaces; returns "added", "moved" or "removed". */
export function place(list, fresh, view, states) {
  const old = document.getElementById(fresh.id);
  const belongs = view === "any" || states.includes(fresh.dataset.state);
  if (!belongs) {
    if (!old || isBeingWritten(old)) return "kept";
    old.remove();
    return "removed";
  }
  const focused = old ? carryOver(old, fresh) : "";
  if (view === "any") {
    old?.replaceWith(fresh);
  } else {
    old?.remove();
    const next = [...list.children].find((card) => comesBefore(fresh, card, view));
    list.insertBefore(fresh, next ?? null);
  }
  if (focused) document.getElementById(focused)?.focus();
  return old ? "moved" : "added";
}

/** Put a whole list as the server arranged it, cards and headings, in place of the one that stands; a card being written in stays. */
export function arrange(list, fresh) {
  let focused = "";
  for (const card of fresh) {
    const old = card.id && document.getElementById(card.id);
    if (old) focused = carryOver(old, card) || focused;
  }
  const here = new Set(fresh.map((card) => card.id).filter(Boolean));
  const written = [...list.children].filter((card) => card.id && !here.has(card.id) && isBeingWritten(card));
  list.replaceChildren(...written, ...fresh);
  if (focused) document.getElementById(focused)?.focus();
}
