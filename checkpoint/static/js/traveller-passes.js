/**
 * The codes that this phone has shown, kept on the phone alone: the handle of the link, the place, the day and the masked name, with
 * those of the companions. The pass page writes it, the first page lists it, the wallet shows them together (pass-wallet.js).
 */

const KEY = "checkpoint.passes";
const NEXT = "checkpoint.known.next"; // what was typed, to be kept once it has arrived (traveller-known.js)
const KNOWN = "checkpoint.known";
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
  tellWorker();
}

/** Those of a trip: `[{handle, who}]`, read from the list of companions on the page of whoever declared for them. */
function companions() {
  const links = [...document.querySelectorAll('.companions a[href^="/p/"]')];
  return links.map((link) => ({ handle: link.getAttribute("href").slice(3), who: link.querySelector("[data-who]").textContent.trim() }));
}

function remember(shown) {
  const { pass: handle, place, day, who } = shown.dataset;
  const before = read();
  if (before.some((one) => one.with?.some((other) => other.handle === handle))) return; // stands with whoever declared for them
  const others = before.filter((one) => one.handle !== handle);
  write("over" in shown.dataset ? others : [{ handle, place, day, who, with: companions() }, ...others]);
}

/** Whom the service worker keeps for when there is no network. */
async function tellWorker() {
  const registration = await navigator.serviceWorker?.getRegistration("/");
  const wallet = read().flatMap((one) => [one.handle, ...(one.with ?? []).map(({ handle }) => handle)]);
  registration?.active?.postMessage({ wallet });
}

/** What was typed has arrived: the draft goes, and whom it named stays on this phone if that was asked for. */
function settle() {
  sessionStorage.removeItem("checkpoint.draft");
  const next = sessionStorage.getItem(NEXT);
  if (next === null) return;
  sessionStorage.removeItem(NEXT);
  try {
    localStorage.setItem(KNOWN, next);
  } catch {
    // a full or forbidden storage costs the convenience only
  }
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
  settle();
}
const section = document.querySelector("[data-phone-passes]");
if (section) list(section);
