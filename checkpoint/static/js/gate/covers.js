// Screens stand over the lane and over each other. What lies under one can be reached neither by keyboard nor by a screen reader.

import { part } from "./words.js";

const TOPMOST_FIRST = ["officer", "print", "form", "verdict", "visit", "patrol-list"];

/** From now on, whenever a screen comes or goes, only the topmost one answers. A hidden screen is left ready to be shown. */
export function closeOffWhatIsCovered() {
  const screens = TOPMOST_FIRST.map((name) => part(name));
  const lane = part("scan");
  const settle = () => {
    const top = screens.find((screen) => !screen.hidden);
    for (const screen of screens) screen.inert = !screen.hidden && screen !== top;
    lane.inert = Boolean(top);
  };
  const watcher = new MutationObserver(settle);
  for (const screen of screens) watcher.observe(screen, { attributes: true, attributeFilter: ["hidden"] });
  settle();
}
