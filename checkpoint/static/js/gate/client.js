// The tablet's calls: the device token on each, a limit on how long one may take.

import { callApi } from "../api.js";

const LONGEST_MS = 8000;
const LONGEST_BATCH_MS = 30_000;

/** Exchange a one-time code for a token; the answer also names the checkpoint. */
export function enrolDevice(code) {
  return callApi("/gate/enroll", { method: "POST", body: { code }, signal: AbortSignal.timeout(LONGEST_MS) });
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

  /** Where this tablet stands and the server's time. */
  device() {
    return this.call("/gate/device");
  }
}

/** What the tablet tells about a scan, as an entry of the outbox. The scan's own id makes it one scan however often it is sent. */
export function scanEntry({ scan_id, token, scanned_at }) {
  return { id: scan_id, kind: "scan", path: "/api/v1/scans", body: { scan_id, token, scanned_at } };
}

/** What the officer decided on it. */
export function decisionEntry(scan_id, decision, note) {
  const body = note ? { decision, note } : { decision };
  return { id: scan_id, kind: "decision", path: `/api/v1/scans/${scan_id}/decision`, body };
}

/** A random UUID, version 4; on plain http the browser lends no randomUUID. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
