// Sound on or off, day or night: kept on this tablet.

import { part, say } from "./words.js";

const SOUND = "checkpoint-gate-sound";
const THEME = "checkpoint-gate-theme";

function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // without storage the choice lasts until the page is closed
  }
}

/** Wire the two buttons of the header. */
export function offerSettings(signals) {
  const sound = part("sound");
  const paint = () => {
    sound.setAttribute("aria-pressed", String(!signals.muted));
    sound.title = say(signals.muted ? "sound.off" : "sound.on");
  };
  signals.muted = read(SOUND) === "off";
  paint();
  sound.addEventListener("click", () => {
    signals.muted = !signals.muted;
    write(SOUND, signals.muted ? "off" : "on");
    paint();
    signals.give("recorded");
  });

  const root = document.documentElement;
  const night = document.querySelector("link[data-night]");
  const wear = (theme) => {
    root.dataset.theme = theme;
    night.media = theme === "dark" ? "screen" : "not all";
  };
  const kept = read(THEME);
  if (kept === "light" || kept === "dark") wear(kept);
  part("night").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    wear(dark ? "light" : "dark");
    write(THEME, root.dataset.theme);
  });
}
