// Deadlines that count down, by the server's clock: a phone's own may be wrong.

const pad = (number) => String(number).padStart(2, "0");

/** A span in seconds as words: 09:05, 3 h 20 min, 2 d 4 h; `words` has the units with {h}, {m}, {d}. */
export function span(seconds, words) {
  const whole = Math.abs(Math.trunc(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600), Math.floor(whole / 60)];
  if (whole < 3600) return `${pad(minutes)}:${pad(whole % 60)}`;
  if (whole < 86400) return words.hours.replace("{h}", hours).replace("{m}", minutes % 60);
  return words.days.replace("{d}", days).replace("{h}", hours % 24);
}

/** Write every deadline below `root` anew each second. `serverNow` is the server's time in seconds when the page was made. */
export function startCountdowns(root, words, serverNow) {
  const ahead = serverNow - Date.now() / 1000;
  const tick = () => {
    const now = Date.now() / 1000 + ahead;
    for (const time of root.querySelectorAll("time[data-countdown]")) {
      const left = Date.parse(time.dateTime) / 1000 - now;
      const over = left < 0;
      const text = words[time.dataset.countdown + (over ? "_over" : "")].replace("{t}", span(left, words));
      if (time.textContent !== text) time.textContent = text;
      time.parentElement.classList.toggle("is-overdue", over);
      time.closest(".alert-card")?.classList.toggle("is-overdue", over);
    }
  };
  tick();
  setInterval(tick, 1000);
  return tick;
}
