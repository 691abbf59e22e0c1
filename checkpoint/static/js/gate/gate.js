// The gate's start: one tab, an enrolled device, then the lane. Each part stands in a module of its own.

import { CameraPanel } from "./camera-panel.js";
import { Client } from "./client.js";
import { Enrolment } from "./enrolment.js";
import { Lane } from "./lane.js";
import { Link } from "./link.js";
import { SessionLog } from "./log.js";
import { Outbox } from "./outbox.js";
import { openReader } from "./reader.js";
import { Scanner } from "./scanner.js";
import { offerSettings } from "./settings.js";
import { Signals } from "./signals.js";
import { become } from "./single.js";
import { keep, recall, wipe } from "./store.js";
import { part, say } from "./words.js";

const signals = new Signals();
const reader = openReader(); // fetched and compiled while the page starts
reader.catch(() => {}); // told where it is used
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
  const outbox = new Outbox(client);
  const link = new Link(client);
  const log = new SessionLog();
  const lane = new Lane({ scanner, outbox, signals, log, link });
  stop = () => {
    outbox.stop();
    link.stop();
    scanner.pause();
    panel.close();
  };
  const ended = () => end(log);
  outbox.addEventListener("revoked", ended);
  link.addEventListener("revoked", ended);
  link.addEventListener("device", ({ detail }) => {
    paintDevice(detail);
    keep("device", { token: device.token, checkpoint: detail.checkpoint, label: detail.label });
  });
  scanner.addEventListener("broken", () => panel.readerFailed());
  scanner.start();
  reader.then((ready) => (scanner.reader = ready), () => panel.readerFailed());
  panel.open();
  link.check();
  await lane.resume();
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
  offerSettings(signals);
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
