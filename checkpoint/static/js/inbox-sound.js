// A soft sound for a new alert, made here; it can be turned off, except for red.

const KEPT = "checkpoint.inbox.muted";
const TUNES = {
  red: [[880, 0], [660, 0.18], [880, 0.36], [660, 0.54]],
  yellow: [[660, 0], [784, 0.16]],
  green: [[523, 0]],
};

/** Wire the button that turns sound off and on; returns play(tier). Browsers allow sound after the first touch of the page. */
export function inboxSound(button, words) {
  let muted = localStorage.getItem(KEPT) === "1";
  let audio = null;
  const unlock = () => {
    audio ??= new AudioContext();
    audio.resume();
  };
  addEventListener("pointerdown", unlock, { once: true });
  addEventListener("keydown", unlock, { once: true });
  const show = () => {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(muted));
    button.title = muted ? words.unmute : words.mute;
    button.querySelector("[data-sound-word]").textContent = button.title;
  };
  button.addEventListener("click", () => {
    muted = !muted;
    localStorage.setItem(KEPT, muted ? "1" : "0");
    show();
  });
  show();
  return (tier) => {
    if (muted && tier !== "red") return;
    if (tier === "red") navigator.vibrate?.([200, 100, 200]);
    if (audio?.state !== "running") return;
    for (const [pitch, start] of TUNES[tier] ?? TUNES.green) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      const from = audio.currentTime + start;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(tier === "red" ? 0.25 : 0.1, from + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, from + 0.3);
      tone.connect(volume).connect(audio.destination);
      tone.start(from);
      tone.stop(from + 0.32);
    }
  };
}
