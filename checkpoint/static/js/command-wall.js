// The clock of the wall, in the time of the site, whatever the computer behind it thinks.

const clock = document.querySelector("[data-clock]");
const zone = clock.dataset.clock;
const language = document.documentElement.lang;
const time = new Intl.DateTimeFormat(language, { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(language, { timeZone: zone, year: "numeric", month: "long", day: "numeric", weekday: "long" });
const ahead = Date.parse(clock.querySelector("time").dateTime) - Date.now(); // the server's clock counts

function tick() {
  const now = new Date(Date.now() + ahead);
  clock.querySelector("time").textContent = time.format(now);
  clock.querySelector("[data-day]").textContent = day.format(now);
}

tick();
setInterval(tick, 1000);
