// Messages to this browser: asks for permission at a touch, subscribes at the browser's push service, tells the server.

import { showToast } from "./toast.js";

const card = document.querySelector("[data-push]");
const words = JSON.parse(card.dataset.words);
const state = card.querySelector("[data-push-state]");
const on = card.querySelector("[data-push-on]");
const off = card.querySelector("[data-push-off]");

const bytesOf = (base64url) =>
  Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

async function tell(url, subscription) {
  const body = new FormData();
  body.append("subscription", JSON.stringify(subscription));
  body.append("language", card.dataset.language);
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const answer = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token, Accept: "application/json" } });
  if (!answer.ok) throw new Error(`answer ${answer.status}`);
}

const registration = () => navigator.serviceWorker.getRegistration(card.dataset.worker);

function show(name, subscribed) {
  state.textContent = words[name];
  on.hidden = subscribed || name === "denied" || name === "unsupported";
  off.hidden = !subscribed;
}

async function look() {
  if (!("serviceWorker" in navigator) || !("PushManager" in globalThis) || !("Notification" in globalThis)) {
    show("unsupported", false);
    return;
  }
  const subscription = await (await registration())?.pushManager.getSubscription();
  if (subscription) show("on", true);
  else show(Notification.permission === "denied" ? "denied" : "off", false);
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") return;
  const { key } = await (await fetch(card.dataset.keyUrl, { headers: { Accept: "application/json" } })).json();
  const registered = await navigator.serviceWorker.register(card.dataset.worker);
  await activated(registered);
  const subscription = await registered.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
  try {
    await tell(card.dataset.subscribe, subscription);
  } catch (error) {
    await subscription.unsubscribe(); // what the server does not know would never be sent to
    throw error;
  }
}

function activated(registered) {
  const worker = registered.installing ?? registered.waiting ?? registered.active;
  if (worker.state === "activated") return Promise.resolve();
  return new Promise((resolve) => {
    worker.addEventListener("statechange", () => worker.state === "activated" && resolve());
  });
}

async function unsubscribe() {
  const subscription = await (await registration())?.pushManager.getSubscription();
  if (!subscription) return;
  await tell(card.dataset.forget, subscription);
  await subscription.unsubscribe();
}

function wire(button, work) {
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch {
      showToast(words.failed, "error");
    } finally {
      button.removeAttribute("aria-busy");
      await look();
    }
  });
}

wire(on, subscribe);
wire(off, unsubscribe);
look();
