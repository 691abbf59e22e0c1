// The inbox: alerts come and move by themselves, forms are sent without leaving the page, the title counts what waits.

import { arrange, parsePart, place } from "./inbox-cards.js";
import { startCountdowns } from "./inbox-countdown.js";
import { inboxKeys } from "./inbox-keys.js";
import { watchSeen } from "./inbox-seen.js";
import { inboxSound } from "./inbox-sound.js";
import { inboxSwipes } from "./inbox-swipe.js";
import { fetchPart, Live, SignedOut } from "./live.js";
import { showToast } from "./toast.js";

const MANY = 12; // more than this at once are fetched as one list
const SETTLE_MS = 30;
const NO_ID = "00000000-0000-0000-0000-000000000000";

const root = document.getElementById("inbox");
const wordsElement = document.getElementById("inbox-words");
const words = JSON.parse(wordsElement.dataset.words);
const plainTitle = document.title;
const view = root.dataset.view;
const soundButton = document.querySelector("[data-sound]");
const play = soundButton ? inboxSound(soundButton, words) : () => {};

const list = () => document.getElementById("inbox-list");
const cards = () => root.querySelector("[data-cards]");

function failed(error) {
  showToast(error instanceof SignedOut ? words.signed_out : error.message || words.failed, "error");
}

async function partOf(url, init) {
  let response;
  try {
    response = await fetchPart(url, init);
  } catch (error) {
    throw error instanceof SignedOut ? error : new Error(words.failed);
  }
  if (response.ok) return response.text();
  const problem = await response.json().catch(() => ({}));
  const error = new Error(problem.errors?.[0]?.message || problem.detail || words.failed);
  error.status = response.status;
  throw error;
}

function showTitle(open) {
  document.title = open > 0 ? `(${open}) ${plainTitle}` : plainTitle;
}

async function refreshCounts() {
  if (!root.dataset.counts) return;
  try {
    const counts = await (await fetchPart(root.dataset.counts)).json();
    for (const badge of document.querySelectorAll("[data-count]")) badge.textContent = counts[badge.dataset.count];
    document.querySelector('[data-count="now"]')?.classList.toggle("is-waiting", counts.open > 0);
    showTitle(counts.open);
  } catch {
    // The next change asks again.
  }
}

let countsTimer;
function countsSoon() {
  clearTimeout(countsTimer);
  countsTimer = setTimeout(refreshCounts, 400);
}

// Searched or in bunches: the server arranges the list, and what changes is fetched as a whole.
const isArranged = "arranged" in root.dataset;

function showEmpty() {
  const box = list()?.querySelector("[data-empty]");
  if (box) box.hidden = cards().childElementCount > 0 || Boolean(document.querySelector("#inbox-groups [data-group]"));
}

function put(card, { announce }) {
  const before = document.getElementById(card.id);
  const states = list()?.dataset.states.split(" ") ?? [];
  const wentTo = place(cards(), card, isArranged ? "any" : view, states);
  if (wentTo === "added" && announce) {
    card.classList.add("is-new");
    showToast(words.new_alert.replace("{title}", card.querySelector("h3").textContent));
    play(card.dataset.tier);
  } else if (wentTo === "moved" && announce && before.dataset.state === "acknowledged" && card.dataset.state === "open") {
    play(card.dataset.tier); // escalated: it waits again
  }
  showEmpty();
  tick();
}

// Answers may overtake each other: of two about one card, the one that was asked for later stands.
const painted = new Map();
let asked = 0;

async function fetchCard(id) {
  const mine = ++asked;
  try {
    const card = parsePart(await partOf(`${root.dataset.alertUrl.replace(NO_ID, id)}?view=${view}`));
    if ((painted.get(id) ?? 0) > mine) return;
    painted.set(id, mine);
    if (isArranged || (view === "now" && (root.dataset.group || standsInGroup(card)))) return void refreshList();
    put(card, { announce: true });
  } catch (error) {
    if (error.status === 404) document.getElementById(`alert-${id}`)?.remove();
    else if (error instanceof SignedOut) failed(error);
    else setTimeout(() => fetchCard(id), 5000);
  }
}

// Many alerts of one act in one village stand as one card; its count comes with the list.
function showGroups(fresh) {
  const [old, now] = [document.getElementById("inbox-groups"), fresh.querySelector("#inbox-groups")];
  if (!old || !now) return;
  const before = new Set([...old.querySelectorAll("[data-group]")].map((card) => card.dataset.group));
  for (const card of now.querySelectorAll("[data-group]")) if (!before.has(card.dataset.group)) card.classList.add("is-new");
  old.replaceWith(now);
}

const standsInGroup = (card) =>
  card.dataset.group && document.querySelector(`#inbox-groups [data-group="${CSS.escape(card.dataset.group)}"]`);

// One list at a time: an older one that came last would take out what a newer one had brought.
let refreshing = false;
let stale = false;

async function refreshList() {
  if (refreshing) {
    stale = true;
    return;
  }
  refreshing = true;
  stale = false;
  try {
    const fresh = parsePart(await partOf(root.dataset.list));
    const wanted = [...fresh.querySelectorAll("[data-cards] > [data-alert]")];
    showGroups(fresh);
    const ids = new Set(wanted.map((card) => card.id));
    const known = new Set([...cards().children].map((card) => card.id));
    const added = wanted.filter((card) => !known.has(card.id));
    if (isArranged) arrange(cards(), [...fresh.querySelector("[data-cards]").children]);
    else {
      for (const card of [...cards().children]) if (card.dataset.alert && !ids.has(card.id)) card.remove();
      for (const card of wanted) put(card, { announce: false });
    }
    showEmpty();
    tick();
    const worst = added.sort((one, other) => one.dataset.rank - other.dataset.rank)[0];
    if (worst) play(worst.dataset.tier);
  } catch (error) {
    if (error instanceof SignedOut) failed(error);
    else setTimeout(refreshList, 5000);
  } finally {
    refreshing = false;
    if (stale) refreshList();
  }
}

const waiting = new Set();
let settling;
function onEvents(events) {
  countsSoon();
  if (view === "followups") return;
  if (refreshing) stale = true;
  for (const event of events) waiting.add(event.alert);
  clearTimeout(settling);
  settling = setTimeout(() => {
    const ids = [...waiting];
    waiting.clear();
    if (ids.length > MANY) refreshList();
    else ids.forEach(fetchCard);
  }, SETTLE_MS);
}

function onState(state) {
  const pill = document.querySelector("[data-live-state]");
  if (!pill) return;
  pill.hidden = false;
  pill.dataset.liveState = state;
  pill.textContent = words[state];
}

async function send(form, submitter) {
  const body = new FormData(form, submitter);
  const buttons = [...form.querySelectorAll("button")];
  buttons.forEach((button) => (button.disabled = true));
  submitter?.setAttribute("aria-busy", "true");
  try {
    const part = parsePart(await partOf(form.action, { method: "POST", body }));
    if (form.matches("[data-reveal]")) showRevealed(form, part, body.get("what"));
    else if (form.matches("[data-task-act]")) finishTask(part);
    else finishAct(form, part);
  } catch (error) {
    failed(error);
  } finally {
    buttons.forEach((button) => (button.disabled = false));
    submitter?.removeAttribute("aria-busy");
  }
}

function showRevealed(form, part, what) {
  const holder = form.closest("article, section").querySelector("[data-revealed]");
  holder.replaceChildren(part);
  const call = part.querySelector("[data-call]");
  call?.focus();
  if (what === "phone" && call && matchMedia("(pointer: coarse)").matches) location.href = call.href;
}

function finishAct(form, card) {
  // The event about this act may have come before the answer and replaced the card, with the words in it: those were sent.
  for (const area of form.querySelectorAll("textarea")) {
    const now = document.getElementById(area.id) ?? area;
    now.value = "";
    now.closest("details")?.removeAttribute("open");
  }
  put(card, { announce: false });
  if (isArranged) refreshList();
  showToast(words.saved);
  countsSoon();
}

function finishTask(task) {
  for (const old of document.querySelectorAll(`[id="${task.id}"]`)) old.replaceWith(task.cloneNode(true));
  showToast(words.saved);
  countsSoon();
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-act], form[data-reveal], form[data-task-act]");
  if (!form) return;
  event.preventDefault();
  send(form, event.submitter);
});

inboxKeys(root, words);
inboxSwipes(root, words);
const tick = startCountdowns(root, JSON.parse(wordsElement.dataset.due), Number(wordsElement.dataset.now));
if (root.dataset.seen) watchSeen(root, root.dataset.seen);
if (list()) {
  showTitle(Number(list().dataset.open));
  new Live({
    stream: root.dataset.live,
    changes: root.dataset.changes,
    channel: root.dataset.channel,
    after: Number(list().dataset.seq),
    onEvents,
    onReset: () => (view === "followups" ? null : refreshList()),
    onState,
  }).start();
}
