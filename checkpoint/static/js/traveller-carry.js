// A finished form with no network: looked at, kept on this phone, shown as a code for the officer, and sent when it can be.
// Fetched only then, or from what the service worker keeps.

import { toCodes } from "./carried-code.js";
import { qrCode } from "./qr.js";
import { bodyOf, localTime } from "./traveller-body.js";
import { restore } from "./traveller-fill.js";
import { clear, fieldOf, showProblems } from "./traveller-problems.js";
import { find, forget, keep, send, unsent } from "./traveller-unsent.js";
import { problems } from "./traveller-validate.js";

const TURN_MS = 1800; // how long each of several codes stands: a camera needs a few frames of it
const screen = document.querySelector("[data-carry]");
const part = (name) => screen.querySelector(`[data-carry-part="${name}"]`);
const words = JSON.parse(document.getElementById("offline-words").textContent);
const entriesOf = (form) => [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrf_token");
let turning = 0;
let shown = null;
let sending = false;

export { restore };

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const today = (form) => localTime(Date.now(), form.dataset.zone).slice(0, 10);

/** A form that the phone kept is everybody's and of no day: give it an identifier and the date. */
export function renew(form) {
  form.elements.client_id.value = newId();
  form.elements.arriving_on.value = today(form);
  document.querySelector("[data-offline-note]").hidden = navigator.onLine;
}

/** Take the form over: its faults beside its fields, or its code on the screen. */
export async function finish(form) {
  dropEmptyRows(form);
  const entries = entriesOf(form);
  const body = bodyOf(entries, form.dataset.zone);
  if (form.dataset.post) body.checkpoint = form.dataset.post;
  const wrong = problems(body, { today: today(form), now: Date.now() });
  clear(form);
  if (Object.keys(wrong).length) {
    showProblems(form, wrong, words);
    return;
  }
  const place = form.elements.destination_text?.value ?? "";
  const item = { client_id: body.client_id, at: new Date().toISOString(), path: location.pathname, entries, body, place, state: "waiting" };
  const kept = keep(item);
  sessionStorage.removeItem("checkpoint.draft");
  await show(form, item, kept);
  if (navigator.onLine) await attempt(form, item);
}

function dropEmptyRows(form) {
  const typed = ["text", "name", "id_number", "phone", "taken_at", "from", "to"];
  for (const row of form.querySelectorAll("[data-row]")) {
    const fields = [...row.querySelectorAll("input:not([type=hidden], [type=radio])")];
    const counting = fields.filter(({ name }) => typed.some((one) => name.endsWith(`.${one}`) || name.endsWith(`_${one}`)));
    if (counting.every(({ value }) => !value.trim())) row.querySelector("[data-remove]").click();
  }
}

async function show(form, item, kept = true) {
  shown = item.client_id;
  clearInterval(turning);
  const codes = await toCodes(item.body);
  const place = part("code");
  const turn = part("turn");
  const draw = (at) => {
    place.replaceChildren(qrCode(codes[at], words.code, { ecc: "L" }));
    place.dataset.text = codes[at];
    turn.textContent = words.turn.replace("{part}", at + 1).replace("{parts}", codes.length);
  };
  draw(0);
  turn.hidden = codes.length === 1;
  let at = 0;
  if (codes.length > 1) turning = setInterval(() => draw((at = (at + 1) % codes.length)), TURN_MS);
  part("who").textContent = [item.body.name, item.place, item.body.arriving_on].filter(Boolean).join(" · ");
  part("kept").hidden = !kept;
  part("sent").hidden = true;
  for (const name of ["waiting", "actions"]) part(name).hidden = false;
  part("heading").textContent = words["heading.waiting"];
  part("pass").onclick = () => forget(item.client_id);
  part("change").onclick = () => change(form, item);
  part("remove").onclick = () => {
    if (confirm(words.remove)) {
      forget(item.client_id);
      location.assign(item.path);
    }
  };
  document.body.dataset.carrying = "";
  screen.hidden = false;
  part("heading").focus();
  scrollTo(0, 0);
}

function hide() {
  clearInterval(turning);
  shown = null;
  screen.hidden = true;
  delete document.body.dataset.carrying;
}

/** Back to the form with everything in it; the identifier stays, so that it is still one declaration. */
function change(form, item) {
  hide();
  restore(form, item.entries);
  form.dataset.offline = "kept"; // goes on from here as it began
}

/** Show a declaration that the server refused, with what was wrong. */
function mend(form, item) {
  change(form, item);
  showProblems(form, Object.fromEntries(item.errors.map(({ field, code }) => [fieldOf(field, code), code])), words);
}

async function attempt(form, item) {
  const after = await send(item);
  if (shown === item.client_id && after.state === "sent") {
    part("pass").href = after.pass;
    part("early").hidden = !after.early;
    part("sent").hidden = false;
    for (const name of ["waiting", "actions"]) part(name).hidden = true;
    part("heading").textContent = words["heading.sent"];
  } else if (shown === item.client_id && after.state === "refused") mend(form, after);
  listEarlier(form);
}

/** Try to send what is still here, and list it above the form. */
export async function sendWaiting(form) {
  if (sending) return;
  sending = true;
  try {
    if (navigator.onLine) for (const item of unsent().filter((one) => one.state === "waiting")) await attempt(form, item);
  } finally {
    sending = false;
  }
  listEarlier(form);
}

/** The declarations on this phone: not sent yet, refused, or sent with the link of the pass. */
function listEarlier(form) {
  const section = document.querySelector("[data-unsent]");
  const items = unsent().filter(({ client_id }) => client_id !== shown);
  section.hidden = items.length === 0;
  section.querySelector("ul").replaceChildren(...items.map((item) => line(form, item)));
}

function line(form, item) {
  const row = document.createElement("li");
  const text = document.createElement("span");
  text.textContent = [item.place, item.body?.arriving_on, words[`state.${item.state}`]].filter(Boolean).join(" · ");
  if (item.state === "sent") {
    const link = Object.assign(document.createElement("a"), { href: item.pass, textContent: words["open.sent"] });
    link.setAttribute("role", "button");
    link.addEventListener("click", () => forget(item.client_id));
    row.append(text, link);
    return row;
  }
  const button = Object.assign(document.createElement("button"), { type: "button", className: "outline", textContent: words[`open.${item.state}`] });
  button.addEventListener("click", () => {
    const now = find(item.client_id) ?? item;
    if (now.state === "waiting") show(form, now).then(() => listEarlier(form));
    else if (now.state === "refused") mend(form, now);
  });
  row.append(text, button);
  return row;
}
