/**
 * The codes that this phone has shown, kept on the phone alone: the handle of the link, the place and the day; no name.
 * The pass page writes it, the first page lists it.
 */

const KEY = "checkpoint.passes";
const MAX = 8;
const KEPT_DAYS = 30;

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => /^[\w-]{20,80}$/.test(one?.handle) && recent(one.day)) : [];
  } catch {
    return []; // storage is off: the page works without it
  }
}

function recent(day) {
  const age = (Date.now() - Date.parse(day)) / 86_400_000;
  return age < KEPT_DAYS;
}

function write(passes) {
  try {
    localStorage.setItem(KEY, JSON.stringify(passes.slice(0, MAX)));
  } catch {
    // a full or forbidden storage costs the convenience only
  }
}

function forget(handle) {
  write(read().filter((one) => one.handle !== handle));
}

function remember(shown) {
  const { pass: handle, place, day } = shown.dataset;
  const others = read().filter((one) => one.handle !== handle);
  write("over" in shown.dataset ? others : [{ handle, place, day }, ...others]);
}

function line(one, section) {
  const item = document.createElement("li");
  const link = Object.assign(document.createElement("a"), { href: `/p/${one.handle}` });
  const place = Object.assign(document.createElement("strong"), { textContent: one.place });
  const day = Object.assign(document.createElement("time"), { textContent: one.day, dateTime: one.day });
  link.append(place, day);
  const away = Object.assign(document.createElement("button"), { type: "button", className: "outline secondary", textContent: "×" });
  away.setAttribute("aria-label", `${section.dataset.forget}: ${one.place} ${one.day}`);
  away.title = section.dataset.forget;
  away.addEventListener("click", () => {
    forget(one.handle);
    item.remove();
    section.hidden = !section.querySelector("li");
  });
  item.append(link, away);
  return item;
}

function list(section) {
  const passes = read();
  section.querySelector("ul").replaceChildren(...passes.map((one) => line(one, section)));
  section.hidden = passes.length === 0;
}

const shown = document.querySelector("[data-pass]");
if (shown) {
  remember(shown);
  sessionStorage.removeItem("checkpoint.draft"); // what was typed has arrived (traveller-offline.js)
}
const section = document.querySelector("[data-phone-passes]");
if (section) list(section);
