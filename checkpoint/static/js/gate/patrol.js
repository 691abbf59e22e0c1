// Patrols of closed crossings: the round to walk, a point's code before the camera, what was found there with a photo and a note.
// Everything is written down first; what was begun survives a reload, what was saved waits in the outbox for the network. A photo is
// written down sealed to the server's key: only the page that took it can still show it.

import { newId } from "./client.js";
import { PATROL } from "./codes.js";
import { handlers } from "./handlers.js";
import { hint, toast } from "./notices.js";
import { currentOf, fingerprintOf, nextOf, pointIdOf, roundsAt } from "./patrol-rounds.js";
import { frameOf, pictureOf, shrink } from "./photo.js";
import { base64url, sealTo } from "./seal.js";
import { shiftStamp } from "./stamps.js";
import { all, get, put, remove } from "./store.js";
import { hour, make, part, say, shape, when } from "./words.js";

const STORE = "rounds";
const REPAINT_MS = 20_000;
const REFRESH_MS = 120_000;
const KEPT_MS = 2 * 86_400_000; // how long the tablet remembers what was visited here, after it was sent

export class Patrol {
  #client;
  #outbox;
  #scanner;
  #clock;
  #snapshot;
  #isFree;
  #preview = null;
  #plan = null;
  #visits = [];
  #draft = null;
  #timers = [];

  /** `isFree()` says whether nobody stands at the barrier, so that the camera may look for codes. */
  constructor({ client, outbox, scanner, clock, snapshot, isFree }) {
    this.#client = client;
    this.#outbox = outbox;
    this.#scanner = scanner;
    this.#clock = clock;
    this.#snapshot = snapshot;
    this.#isFree = isFree;
    handlers.set(PATROL, (text) => this.#scanned(text));
    outbox.addEventListener("sent", ({ detail }) => detail.entry.kind === "patrol" && this.#sent(detail));
    outbox.addEventListener("refused", ({ detail }) => detail.entry.kind === "patrol" && this.#refused(detail));
    part("patrol-open").onclick = () => this.#openList();
    part("patrol-close").onclick = () => this.#close();
    part("patrol-scan").onclick = () => this.#close();
    part("visit-cancel").onclick = () => this.#giveUp();
    part("visit-form").onsubmit = (event) => {
      event.preventDefault();
      this.#save();
    };
    part("visit-form").onchange = ({ target }) => {
      if (target.name === "found") this.#change({ found: target.value });
    };
    part("visit-note").oninput = () => this.#change({ note: part("visit-note").value });
    part("visit-take").onclick = () => this.#photograph(() => frameOf(part("visit-video")));
    part("visit-again").onclick = () => {
      this.#forgetPicture();
      this.#change({ photo: null }, true);
    };
    part("visit-file").onchange = () => {
      const [file] = part("visit-file").files;
      if (file) this.#photograph(() => pictureOf(file));
    };
  }

  /** Take up what an earlier page left, then ask the server. */
  async open() {
    const kept = await all(STORE);
    this.#plan = kept.find((one) => one.id === "plan") ?? null;
    const visits = kept.filter((one) => one.id.startsWith("visit:"));
    this.#visits = visits.filter((one) => one.state === "waiting" || Date.now() - one.counted < KEPT_MS);
    for (const old of visits) if (!this.#visits.includes(old)) await remove(STORE, old.id);
    this.#paint();
    const draft = await get(STORE, "draft");
    if (draft) this.#openVisit(draft);
    this.#timers = [setInterval(() => this.#paint(), REPAINT_MS), setInterval(() => this.#refresh(), REFRESH_MS)];
    await this.#refresh();
  }

  /** Whether the list or a visit stands over the lane, so that a keystroke is not a scanned code. */
  get isOver() {
    return !part("patrol-list").hidden || !part("visit").hidden;
  }

  stop() {
    for (const timer of this.#timers) clearInterval(timer);
    handlers.delete(PATROL);
    this.#hide();
  }

  async #refresh() {
    try {
      const answer = await this.#client.call("/api/v1/gate/patrols");
      this.#plan = { ...answer, id: "plan", fetched: Date.now() };
      await put(STORE, this.#plan);
    } catch {
      // without network the plan of before stands; the list says how old it is
    }
    await this.#recognise();
    this.#paint();
  }

  /** A code that was before the camera sooner than the plan was here gets its name when that comes. */
  async #recognise() {
    const known = this.#draft && !this.#draft.name && this.#plan?.points.find((one) => one.id === this.#draft.point_id);
    if (!known) return;
    await this.#change({ name: known.name, place: known.place });
    this.#paintPoint();
  }

  async #scanned(text) {
    if (this.#draft) return;
    const point_id = pointIdOf(text);
    const known = this.#plan?.points.find((one) => one.id === point_id);
    const print = known ? await fingerprintOf(text) : null;
    if (!point_id || (print && print !== known.fingerprint)) {
      hint(say("patrol.forged"), "error");
      return;
    }
    const draft = { id: "draft", visit_id: newId(), token: text.trim().toUpperCase(), point_id, name: known?.name ?? "", place: known?.place ?? "" };
    await this.#openVisit({ ...draft, visited_at: new Date().toISOString(), counted: this.#clock.now, skew: this.#clock.skewSeconds, found: "", note: "", photo: null });
    await put(STORE, this.#draft);
  }

  async #openVisit(draft) {
    this.#draft = draft;
    this.#scanner.pause();
    part("patrol-list").hidden = true;
    this.#paintPoint();
    part("visit-time").textContent = hour(draft.counted);
    part("visit-note").value = draft.note;
    for (const one of part("visit-form").elements.namedItem("found")) one.checked = one.value === draft.found;
    part("visit-error").hidden = true;
    part("visit-file").value = "";
    const preview = part("visit-video");
    preview.srcObject = part("video").srcObject;
    preview.play().catch(() => {}); // no camera: a picture can be chosen, or the visit saved without one
    this.#paintPhoto();
    part("visit").hidden = false;
    part("visit-heading").focus();
  }

  #paintPoint() {
    const { name, place } = this.#draft;
    part("visit-point").textContent = name || say("patrol.unknown");
    part("visit-place").textContent = place || (name ? "" : say(this.#plan ? "patrol.unknown.say" : "patrol.noplan"));
  }

  #paintPhoto() {
    const { photo } = this.#draft;
    const live = Boolean(part("video").srcObject?.active);
    part("visit-video").hidden = photo !== null || !live;
    part("visit-take").hidden = photo !== null || !live;
    part("visit-picture").hidden = photo === null || !this.#preview;
    part("visit-sealed").hidden = photo === null || Boolean(this.#preview);
    if (photo && this.#preview) part("visit-picture").src = this.#preview;
    else part("visit-picture").removeAttribute("src");
    part("visit-again").hidden = photo === null;
    part("visit-save").textContent = say(photo ? "patrol.save" : "patrol.save.without");
  }

  async #photograph(from) {
    try {
      const picture = await from();
      if (!picture) throw new Error("no picture yet");
      const key = this.#snapshot.current?.seal_key;
      if (!key || !globalThis.crypto?.subtle) {
        this.#wrong(say("patrol.photo.no_key"));
        return;
      }
      const small = await shrink(picture);
      const sealed = base64url(await sealTo(key, await small.arrayBuffer()));
      this.#forgetPicture();
      this.#preview = URL.createObjectURL(small);
      await this.#change({ photo: { kid: key.kid, sealed } }, true);
    } catch {
      this.#wrong(say("patrol.photo.wrong"));
    }
  }

  /** What was photographed leaves the page with the visit. */
  #forgetPicture() {
    if (this.#preview) URL.revokeObjectURL(this.#preview);
    this.#preview = null;
  }

  /** What was begun is written down with each change, so that a reload or an empty battery takes nothing away. */
  async #change(fields, repaint = false) {
    if (!this.#draft) return;
    Object.assign(this.#draft, fields);
    part("visit-error").hidden = true;
    if (repaint) this.#paintPhoto();
    await put(STORE, this.#draft);
  }

  #wrong(words) {
    part("visit-error-words").textContent = words;
    part("visit-error").hidden = false;
    part("visit-error").scrollIntoView({ block: "nearest" });
  }

  async #save() {
    const draft = this.#draft;
    if (!draft) return;
    if (!draft.found) {
      this.#wrong(say("patrol.found.missing"));
      return;
    }
    const { visit_id, token, visited_at, found, photo, point_id, name, counted } = draft;
    const note = draft.note.trim();
    const skew_seconds = Math.max(-86_400, Math.min(86_400, draft.skew));
    const body = { visit_id, token, visited_at, skew_seconds, found, ...(note && { note }), ...(photo && { photo_sealed: photo }), ...shiftStamp() };
    const visit = { id: `visit:${visit_id}`, point_id, name, found, counted, state: "waiting" };
    this.#draft = null;
    try {
      await this.#outbox.add({ id: visit_id, kind: "patrol", path: "/api/v1/gate/patrols/visits", body }, [
        { put: STORE, value: visit },
        { remove: STORE, key: "draft" },
      ]);
    } catch {
      this.#draft = draft;
      this.#wrong(say("send.storage"));
      return;
    }
    this.#forgetPicture();
    this.#visits.push(visit);
    part("visit").hidden = true;
    toast(say("patrol.saved", { point: name || say("patrol.unknown"), found: say(`patrol.found.${found}`) }), "info");
    this.#openList();
  }

  async #giveUp() {
    this.#draft = null;
    this.#forgetPicture();
    await remove(STORE, "draft");
    this.#close();
  }

  #sent({ entry, answer }) {
    this.#settle(entry.id, { state: "sent", counts: answer.counts, name: answer.point });
    if (answer.counts === "outside") toast(say("patrol.outside", { point: answer.point }), "info");
    this.#refresh();
  }

  #refused({ entry, problem }) {
    const cause = (problem.problem?.errors ?? []).map((one) => one.message).join(" ") || problem.message || String(problem.status);
    this.#settle(entry.id, { state: "refused", cause });
    toast(say("patrol.refused", { cause }), "error");
  }

  async #settle(id, fields) {
    const visit = this.#visits.find((one) => one.id === `visit:${id}`);
    if (!visit) return;
    Object.assign(visit, fields);
    await put(STORE, visit);
    this.#paint();
  }

  #openList() {
    this.#scanner.pause();
    this.#paint();
    part("patrol-list").hidden = false;
    part("patrol-heading").focus();
  }

  #hide() {
    part("patrol-list").hidden = true;
    part("visit").hidden = true;
    part("visit-video").srcObject = null;
  }

  #close() {
    this.#hide();
    this.#paint();
    if (this.#isFree()) this.#scanner.start();
  }

  #paint() {
    const rounds = this.#plan ? roundsAt(this.#plan, this.#visits, this.#clock.now) : [];
    const current = currentOf(rounds);
    const next = nextOf(current);
    const waiting = this.#visits.filter((one) => one.state === "waiting").length;
    const refused = this.#visits.filter((one) => one.state === "refused");
    part("patrol-line").hidden = !rounds.length && !this.#visits.length;
    part("patrol-count").textContent = current ? `${current.done} / ${current.total}` : "";
    part("patrol-next").textContent = this.#nextWords(current, next);
    part("patrol-line").dataset.phase = current?.phase === "open" && next ? "open" : "quiet";
    part("patrol-age").textContent = this.#plan ? say("patrol.age", { time: hour(this.#plan.fetched) }) : say("patrol.noplan");
    part("patrol-unsent").hidden = !waiting;
    part("patrol-unsent").textContent = say("patrol.unsent", { count: waiting });
    part("patrol-refused").hidden = !refused.length;
    part("patrol-refused").textContent = refused.map((one) => say("patrol.refused", { cause: `${one.name} ${one.cause}`.trim() })).join(" ");
    part("patrol-empty").hidden = rounds.length > 0;
    part("patrol-rounds").replaceChildren(...rounds.map((one) => this.#section(one, next?.point.id)));
  }

  #nextWords(round, next) {
    if (!round) return say("patrol.none");
    if (round.phase === "coming") return say("patrol.coming", { route: round.route, time: onDay(round.opens, this.#clock.now) });
    if (!next) return say("patrol.done", { route: round.route });
    return say("patrol.next", { point: next.point.name, time: hour(round.closes) });
  }

  #section(round, nextId) {
    const head = make(
      "header", "", make("h3", "", round.route),
      make("p", "", say("patrol.window", { opens: onDay(round.opens, this.#clock.now), closes: hour(round.closes), phase: say(`patrol.phase.${round.phase}`) })),
      make("strong", "", `${round.done} / ${round.total}`),
    );
    const lines = round.tasks.map((task) => line(task, round.phase === "open" && task.point.id === nextId));
    return make("section", `patrol-card is-${round.phase}`, head, make("ol", "", ...lines));
  }
}

/** The time of day, with the day when it is not within twelve hours. */
const onDay = (at, now) => (Math.abs(at - now) < 12 * 3_600_000 ? hour(at) : when(at));

function line(task, isNext) {
  const facts = [say(isNext ? "patrol.task.next" : `patrol.task.${task.state}`)];
  if (task.at) facts.push(hour(task.at));
  if (task.found) facts.push(say(`patrol.found.${task.found}`));
  if (!task.sent) facts.push(say("patrol.task.unsent"));
  const item = make(
    "li", `is-${task.state}${isNext ? " is-next" : ""}${task.found && task.found !== "closed" ? " is-bad" : ""}`,
    make("span", "patrol-mark", shape(`patrol-${task.state}`)),
    make("span", "patrol-name", task.point.name, " ", make("small", "muted", task.point.place)),
    make("span", "patrol-facts", facts.join(" · ")),
  );
  item.dataset.point = task.point.id;
  return item;
}
