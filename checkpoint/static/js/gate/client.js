// The tablet's calls: the device token on each, a limit on how long one may take.

import { callApi } from "../api.js";

const LONGEST_MS = 8000;
const LONGEST_BATCH_MS = 30_000;
const LONGEST_SNAPSHOT_MS = 20_000;

/** Exchange a one-time code for a token; the answer also names the checkpoint. */
export function enrolDevice(code) {
  const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
  // Without cookies: the page may come from the tablet itself, so it has no form token, and whoever is signed in does not matter.
  const more = { credentials: "omit", signal: AbortSignal.timeout(LONGEST_MS) };
  return callApi(`/gate/enroll?lang=${language}`, { method: "POST", body: { code }, ...more });
}

export class Client {
  #token;

  constructor(token) {
    this.#token = token;
  }

  /** Call `path` with this tablet's token; `longest` is the time limit in milliseconds. */
  call(path, { longest = LONGEST_MS, ...options } = {}) {
    const headers = { Authorization: `Bearer ${this.#token}` };
    return callApi(path, { ...options, headers: { ...headers, ...options.headers }, signal: AbortSignal.timeout(longest) });
  }

  /** Send an entry of the outbox. */
  send({ path, body }) {
    return this.call(path, { method: "POST", body });
  }

  /** Send scans and decisions that were made off line; resolves to `{results}`. */
  batch(scans) {
    return this.call("/api/v1/scans/batch", { method: "POST", body: { scans }, longest: LONGEST_BATCH_MS });
  }

  /** What an off-line verdict needs, or what changed of it since a version; null when nothing did. */
  snapshot(since) {
    const path = "/api/v1/gate/snapshot";
    if (!since) return this.call(path, { longest: LONGEST_SNAPSHOT_MS });
    const headers = { "If-None-Match": `"${since}"` };
    return this.call(`${path}?since=${encodeURIComponent(since)}`, { headers, longest: LONGEST_SNAPSHOT_MS });
  }

  /** Where this tablet stands and the server's time. */
  device() {
    return this.call("/gate/device");
  }
}

/** What the tablet tells about a scan, as an entry of the outbox. The scan's own id makes it one scan however often it is sent. */
export function scanEntry(scan) {
  const body = given(scan, ["scan_id", "token", "scanned_at", "shift_id", "vehicle_id"]);
  return { id: scan.scan_id, kind: "scan", path: "/api/v1/scans", body };
}

/** What the officer decided on a `scan`. One made by a verdict of this tablet alone goes to the server together with that verdict. */
export function decisionEntry(scan, made, offline) {
  const body = given(made, ["decision_id", "decision", "note", "shift_id"]);
  const path = `/api/v1/scans/${scan.scan_id}/decision`;
  return { id: scan.scan_id, kind: "decision", path, body, scan, decided_at: made.decided_at, ...(offline ? { offline } : {}) };
}

const given = (values, names) => Object.fromEntries(names.filter((name) => values[name]).map((name) => [name, values[name]]));

/** A random UUID, version 4; on plain http the browser lends no randomUUID. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
