// The gate's start: one tab, an enrolled device, then the lane. Each part stands in a module of its own.

import { CameraPanel } from "./camera-panel.js";
import { Carrier } from "./carried.js";
import { Client } from "./client.js";
import { Clock } from "./clock.js";
import { closeOffWhatIsCovered } from "./covers.js";
import { Desk } from "./desk.js";
import { Enrolment } from "./enrolment.js";
import { Former } from "./former.js";
import { Honesty } from "./honesty.js";
import { Lane } from "./lane.js";
import { Link } from "./link.js";
import { SessionLog } from "./log.js";
import { Matters } from "./matters.js";
import { Judge } from "./offline.js";
import { Outbox } from "./outbox.js";
import { Patrol } from "./patrol.js";
import { openReader } from "./reader.js";
import { Scanner } from "./scanner.js";
import { offerSettings } from "./settings.js";
import { keepShell, takeUpdate } from "./shell.js";
import { Signals } from "./signals.js";
import { become } from "./single.js";
import { Snapshot } from "./snapshot.js";
import { count, forgetCrossings, keep, recall, wipe } from "./store.js";
import { part, say } from "./words.js";

const signals = new Signals();
const reader = openReader(); // fetched and compiled while the page starts
reader.catch(() => {}); // told where it is used
const KEPT_DAYS = 3; // what was scanned here is remembered so long, once it is sent
const ENDED = "checkpoint-gate-ended";
let stop = () => {};

const show = (name) => {
  for (const screen of ["start", "enrol", "scan", "elsewhere"]) part(screen).hidden = screen !== name;
};

const enrolment = new Enrolment((device) => openLane(device));

function paintDevice({ checkpoint, label }) {
  part("checkpoint").textContent = checkpoint.name;
  part("device").textContent = `${checkpoint.code} · ${label}`;
  part("place").hidden = false;
}

async function openLane(device) {
  stop();
  paintDevice(device);
  show("scan");
  const panel = new CameraPanel();
  const scanner = new Scanner(panel.video);
  const client = new Client(device.token);
  const clock = new Clock();
  const snapshot = new Snapshot(client, clock);
  const outbox = new Outbox(client, device.checkpoint.code);
  const link = new Link(client, clock, snapshot);
  const log = new SessionLog();
  const judge = new Judge(snapshot, clock);
  const matters = new Matters();
  const lane = new Lane({ scanner, outbox, signals, log, link, judge, matters });
  const carrier = new Carrier({ lane, outbox, snapshot, judge });
  const desk = new Desk({ client, outbox, lane, scanner, signals, device, snapshot, clock, carrier });
  const patrol = new Patrol({ client, outbox, scanner, clock, snapshot, isFree: () => lane.isFree });
  lane.isCovered = () => desk.isOver || patrol.isOver;
  const former = new Former();
  const honesty = new Honesty({ link, snapshot, clock, matters });
  stop = () => {
    outbox.stop();
    former.stop();
    desk.close();
    patrol.stop();
    link.stop();
    honesty.stop();
    scanner.pause();
    panel.close();
  };
  for (const source of [outbox, link]) {
    source.addEventListener("revoked", () => end(log));
    source.addEventListener("untrusted", () => distrusted(device));
  }
  link.addEventListener("device", ({ detail }) => {
    paintDevice(detail);
    keep("device", { token: device.token, checkpoint: detail.checkpoint, label: detail.label });
  });
  scanner.addEventListener("broken", () => panel.readerFailed());
  const update = part("update");
  update.onclick = () => lane.isFree && takeUpdate();
  reader.catch(() => {}).then(() => keepShell({ isIdle: () => lane.isFree, ready: () => (update.hidden = false) }));
  panel.open();
  const [queue] = await Promise.all([outbox.restore(), clock.load(), snapshot.load()]); // what a verdict rests on comes first
  link.check();
  former.open(device.checkpoint.code, matters).catch(() => {}); // without a store there is nothing to send
  await desk.open(); // the lane opens for an officer on duty, not before
  scanner.start();
  reader.then((ready) => (scanner.reader = ready), () => panel.readerFailed());
  await lane.resume(queue);
  patrol.open().catch(() => {}); // without a store there are no rounds; the lane says so itself
  forgetCrossings(new Date(Date.now() - KEPT_DAYS * 86_400_000).toISOString(), outbox);
}

/** The server does not know this token, and does not say that it was ended: keep everything, and ask for a new code. */
async function distrusted(device) {
  stop();
  const unsent = await count("outbox");
  show("enrol");
  enrolment.show(say(unsent ? "enrol.untrusted.unsent" : "enrol.untrusted", { count: unsent, checkpoint: device.checkpoint.name }), device);
}

/** The server no longer takes this tablet's token: keep nothing, start anew. */
async function end(log) {
  stop();
  log.clear();
  await wipe();
  sessionStorage.setItem(ENDED, "yes");
  location.replace("/gate");
}

function moved() {
  stop();
  show("elsewhere");
}

/** What this tablet is: enrolled and in the lane, or waiting for its code. */
async function begin() {
  const device = await recall("device");
  if (device && !enrolment.isAsked) {
    await openLane(device);
    return;
  }
  show("enrol");
  const ended = sessionStorage.getItem(ENDED);
  sessionStorage.removeItem(ENDED);
  enrolment.show(ended ? say("enrol.revoked") : "", device);
  await enrolment.fromAddress();
}

async function start() {
  if (await takeUpdate()) return; // the new version loads the page anew
  offerSettings(signals);
  closeOffWhatIsCovered();
  part("take-over").addEventListener("click", async () => {
    await become(moved, { steal: true });
    await begin();
  });
  if (await become(moved)) await begin();
  else show("elsewhere");
}

start().catch(() => {
  show("enrol");
  enrolment.show(say("send.storage"));
});
