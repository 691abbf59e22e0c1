/**
 * The pass page as a wallet: one code after another on a white sheet as large as the screen, of everybody whose code this phone keeps.
 * The screen stays on meanwhile. With no network the service worker has the pages; the sheet says how old they are.
 */

const LIST = "checkpoint.passes";
const OLD_MS = 5 * 60_000;
const sheet = document.querySelector("[data-wallet]");
const words = JSON.parse(sheet.dataset.words);
const cards = sheet.querySelector("[data-wallet-cards]");
const asOf = document.querySelector("[data-as-of]");
let awake = null;
let freshAt = Date.parse(document.querySelector("[data-made]").dataset.made);

/** `[{handle, who}]` of this phone, the one of this page first. */
function people() {
  let kept = [];
  try {
    kept = JSON.parse(localStorage.getItem(LIST) ?? "[]");
  } catch {
    // storage is off: only this page's own code is shown
  }
  const own = document.querySelector("[data-pass]").dataset;
  const all = (Array.isArray(kept) ? kept : []).flatMap((one) => [one, ...(one.with ?? [])]).filter((one) => /^[\w-]{20,80}$/.test(one?.handle));
  return [{ handle: own.pass, who: own.who }, ...all.filter((one) => one.handle !== own.pass)];
}

/** The card of one person as their own page has it, or null when it has none that is still valid. */
async function cardOf({ handle }) {
  const own = document.querySelector("[data-pass]");
  let card = own;
  if (own.dataset.pass !== handle) {
    const answer = await fetch(`/p/${handle}`);
    if (!answer.ok) return null;
    card = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-pass]");
  }
  if (!card || "over" in card.dataset) return null;
  const copy = document.importNode(card, true);
  copy.removeAttribute("data-pass");
  copy.querySelector("[data-wallet-open]")?.remove();
  markExpired(copy);
  return copy;
}

/** The page may be older than the code's last day: then say so, whatever it said when it was made. */
function markExpired(card) {
  const until = Date.parse(card.dataset.until ?? "");
  if (!(until < Date.now())) return;
  card.classList.add("pass-void");
  card.querySelector("[data-valid]").textContent = words.expired;
}

async function stayAwake() {
  try {
    awake = await navigator.wakeLock?.request("screen");
  } catch {
    // a phone with little power left refuses: the code is shown all the same
  }
}

async function open() {
  sheet.showModal();
  stayAwake();
  const everybody = people();
  const found = await Promise.all(everybody.map((one) => cardOf(one).catch(() => null)));
  const shown = found.filter(Boolean);
  cards.replaceChildren(...shown);
  for (const [at, card] of shown.entries()) {
    card.setAttribute("aria-label", words.of.replace("{part}", at + 1).replace("{parts}", shown.length));
    card.tabIndex = 0;
  }
  sheet.querySelector("[data-wallet-more]").hidden = shown.length < 2;
  sheet.querySelector("[data-wallet-count]").textContent = words.of.replace("{part}", 1).replace("{parts}", shown.length);
  cards.scrollTo({ left: 0 });
  cards.firstElementChild?.focus();
}

function turn(by) {
  const at = Math.round(cards.scrollLeft / cards.clientWidth);
  cards.children[at + by]?.scrollIntoView({ inline: "center", block: "nearest" });
}

function count() {
  const at = Math.round(cards.scrollLeft / cards.clientWidth);
  sheet.querySelector("[data-wallet-count]").textContent = words.of.replace("{part}", at + 1).replace("{parts}", cards.children.length);
}

/** When the page was made, if that was a while ago. */
function showAge() {
  const made = new Date(document.querySelector("[data-made]").dataset.made);
  const old = !navigator.onLine || Date.now() - freshAt > OLD_MS;
  asOf.hidden = !old;
  if (old) asOf.querySelector("time").textContent = made.toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" });
}

async function keep() {
  const workers = globalThis.isSecureContext ? navigator.serviceWorker : undefined;
  if (!workers) return;
  await workers.register("/sw.js", { scope: "/", updateViaCache: "none" });
  const { active } = await workers.ready;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => (document.documentElement.dataset.walletKept = "");
  active.postMessage({ wallet: people().map(({ handle }) => handle) }, [port2]);
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-wallet-open]")) return;
  event.preventDefault(); // without scripts it leads to the picture alone
  open();
});
sheet.querySelector("[data-wallet-close]").addEventListener("click", () => sheet.close());
for (const button of sheet.querySelectorAll("[data-wallet-turn]")) button.addEventListener("click", () => turn(Number(button.dataset.walletTurn)));
cards.addEventListener("scrollend", count);
sheet.addEventListener("close", () => awake?.release().catch(() => {}));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && sheet.open) stayAwake(); // it was let go while the page was hidden
});
document.addEventListener("pass:fresh", () => {
  freshAt = Date.now();
  showAge();
});
for (const name of ["online", "offline"]) addEventListener(name, showAge);
markExpired(document.querySelector("[data-pass]"));
showAge();
setInterval(showAge, 30_000);
const idle = globalThis.requestIdleCallback ?? ((later) => setTimeout(later, 1500));
addEventListener("load", () => idle(() => keep().catch(() => {})));
