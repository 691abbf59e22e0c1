// What a scanned or typed text is. Pure: no page, no network.

export const PASS = "pass";
export const SHORT = "short";
export const POSTER = "poster";
export const LINK = "link";
export const ENROL = "enrol";
export const CARRIED = "carried";
export const PATROL = "patrol";
export const VEHICLE = "vehicle";
export const FOREIGN = "foreign";

const PREFIX = "CP1:";
// Codes of other modules (handlers.js): a registration carried in the code itself, a point of a patrol.
const CARRIED_PREFIXES = { "CPR1:": CARRIED, "CPP1:": PATROL, "CPV1:": VEHICLE };
// The alphabet of short codes (registrations/passes.py), without 0 O 1 I U, which people mistake for one another.
const SHORT_CODE = /^[2-9A-HJ-NP-TV-Z]{8}$/;
const ENROLMENT = /^[0-9A-Za-z]{5}-?[0-9A-Za-z]{5}$/;
const SAME_WITHIN_MS = 3000;

/** The pass inside a text, or null. Scanners with Caps Lock on send small letters; base45 has none. */
function passOf(text) {
  const trimmed = text.replace(/^\s+|[\r\n\t]+$/g, "");
  if (trimmed.slice(0, PREFIX.length).toUpperCase() !== PREFIX) return null;
  return trimmed.toUpperCase();
}

function pathOf(text) {
  try {
    const url = new URL(text.trim());
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

/** The one-time code in an enrolment link or text, or null. */
export function enrolmentCode(text) {
  const url = pathOf(text);
  if (!url) return ENROLMENT.test(text.trim()) ? text.trim().toUpperCase() : null;
  if (!/^\/gate(\/enroll)?\/?$/.test(url.pathname)) return null;
  return codeOfAddress(url);
}

/** The one-time code in an address: behind the # (no log sees it there), or in the query. */
export function codeOfAddress({ hash, search }) {
  const behind = hash.replace(/^#(enrol=)?/, "");
  const code = behind || new URLSearchParams(search).get("code") || "";
  return ENROLMENT.test(code) ? code.toUpperCase() : null;
}

/** What a QR code's text is: `{kind, token}`; the token only for a pass. */
export function classifyScan(text) {
  const token = passOf(text);
  if (token !== null) return { kind: PASS, token };
  const other = CARRIED_PREFIXES[text.trimStart().slice(0, 5).toUpperCase()];
  if (other) return { kind: other };
  const url = pathOf(text);
  if (!url) return { kind: FOREIGN };
  if (enrolmentCode(text)) return { kind: ENROL };
  if (/^\/c\/[\w-]{2,24}\/?$/.test(url.pathname)) return { kind: POSTER };
  if (/^\/p\/[\w-]{20,}\/?$/.test(url.pathname)) return { kind: LINK };
  return { kind: FOREIGN };
}

/** What was typed, or sent by a scanner that types: a short code counts here as well. */
export function classifyTyped(text) {
  const short = text.replace(/[\s-]/g, "").toUpperCase();
  if (SHORT_CODE.test(short)) return { kind: SHORT, token: short };
  return classifyScan(text);
}

/** Of several codes in one picture the pass counts, whatever else hangs on the wall. */
export function best(texts) {
  const found = texts.map((text) => ({ text, ...classifyScan(text) }));
  return found.find((one) => one.kind === PASS) ?? found[0] ?? null;
}

/** Tells a second look at the same code from a second scan: the code must have been out of sight for three seconds. */
export class Repeats {
  #last = new Map();

  /** Whether `text` was seen less than three seconds before `now` (milliseconds); counts as a sighting. */
  seen(text, now) {
    for (const [known, at] of this.#last) if (now - at >= SAME_WITHIN_MS) this.#last.delete(known);
    const again = this.#last.has(text);
    this.#last.set(text, now);
    return again;
  }
}
