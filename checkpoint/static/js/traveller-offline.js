/**
 * Lets the form work where there is no network: has the service worker keep it, keeps what was typed until the server has
 * answered, and hands a finished form over to traveller-carry.js when it cannot be sent. Small, since every first load pays for it.
 */

const DRAFT = "checkpoint.draft";
const RETRY_MS = 20_000;
const form = document.querySelector("[data-traveller-form][data-offline]");
const isKept = () => form.dataset.offline === "kept"; // this page came from the phone itself, or goes on from what the phone kept
const parameters = new URLSearchParams(location.search);

function draft() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
    return kept?.path === location.pathname ? kept : null;
  } catch {
    return null;
  }
}

/** Until the server has answered, what was typed stays in this tab. */
function keepDraft() {
  const entries = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrf_token");
  try {
    sessionStorage.setItem(DRAFT, JSON.stringify({ path: location.pathname, entries }));
  } catch {
    // a forbidden storage costs what was typed only if the network fails as well
  }
}

async function carry() {
  return import("./traveller-carry.js");
}

/** True when the form was taken over; false where the modules cannot be had, and the browser may try to send it. */
async function takeOver() {
  try {
    (await carry()).finish(form);
    return true;
  } catch {
    return false;
  }
}

function watchSending() {
  form.addEventListener("submit", (event) => {
    if ((event.submitter?.value ?? "send") !== "send") return;
    keepDraft();
    if (navigator.onLine && !isKept()) return; // the service worker brings the page back if this fails
    event.preventDefault();
    const button = form.querySelector("[data-send]");
    button.setAttribute("aria-busy", "true");
    takeOver().then((taken) => {
      button.removeAttribute("aria-busy");
      if (!taken) form.submit();
    });
  });
}

/** Off line another language is another page that is kept: what was typed goes along in this tab. */
function watchSwitches() {
  for (const link of document.querySelectorAll(".header-tools a.tool")) {
    link.addEventListener(
      "click",
      (event) => {
        if (navigator.onLine && !isKept()) return;
        keepDraft();
        event.stopImmediatePropagation();
      },
      { capture: true },
    );
  }
}

async function keepPage() {
  const workers = globalThis.isSecureContext ? navigator.serviceWorker : undefined;
  if (!workers) return;
  await workers.register("/sw.js", { scope: "/", updateViaCache: "none" });
  const { active } = await workers.ready;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => (document.documentElement.dataset.kept = "");
  active.postMessage({ keep: location.pathname, language: document.documentElement.lang.startsWith("zh") ? "zh" : "en" }, [port2]);
}

async function begin() {
  watchSending();
  watchSwitches();
  const kept = draft();
  if (isKept()) (await carry()).renew(form);
  if (kept && (isKept() || parameters.has("unsent"))) (await carry()).restore(form, kept.entries);
  if (kept && parameters.has("unsent")) {
    history.replaceState(null, "", location.pathname);
    await takeOver();
  }
  if (!isKept()) sessionStorage.removeItem(DRAFT);
  form.dataset.ready = "";
}

/** What an earlier visit could not send: tried again now, when the network comes back, and now and then. */
async function sendEarlier() {
  if (localStorage.getItem("checkpoint.unsent") === null) return;
  (await carry()).sendWaiting(form);
}

if (form) {
  begin().then(sendEarlier);
  window.addEventListener("online", sendEarlier);
  const note = document.querySelector("[data-offline-note]");
  for (const name of ["online", "offline"]) window.addEventListener(name, () => (note.hidden = navigator.onLine));
  setInterval(sendEarlier, RETRY_MS);
  // The first load belongs to the form; what is kept for later is fetched when the phone has nothing else to do.
  const idle = globalThis.requestIdleCallback ?? ((later) => setTimeout(later, 1500));
  if (!isKept()) window.addEventListener("load", () => idle(() => keepPage().catch(() => {})));
}
