// Reads and verifies a pass without the server: base45, a COSE_Sign1 with ES256, a CWT with our claims. No page, no store.
// Only what the server writes is understood (definite lengths, no floats, one tag): anything else is unreadable, never half read.
// Sources: RFC 9285 (base45), RFC 8949 (CBOR), RFC 9052 (COSE), RFC 8392 (CWT).

const PREFIX = "CP1:";
const LONGEST = 200;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value]));
const TIERS = { 1: "green", 2: "yellow", 3: "red" };
const EXPIRY = 4;
const SERIAL = 7;
const FACTS = -65537;
const ALGORITHM = { name: "ECDSA", hash: "SHA-256" };
const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const HOUR_MS = 3_600_000;
const COUNTIES_FROM = 6;

class Unreadable extends Error {}

function must(condition) {
  if (!condition) throw new Unreadable("unreadable");
}

/** The bytes of a base45 text. */
export function fromBase45(text) {
  const bytes = [];
  for (let at = 0; at < text.length; at += 3) {
    const [low, middle, high] = [...text.slice(at, at + 3)].map((letter) => VALUES.get(letter));
    must(low !== undefined && middle !== undefined);
    const value = low + 45 * middle + (at + 2 < text.length ? 2025 * (high ?? Number.NaN) : 0);
    const whole = at + 2 < text.length;
    must(value <= (whole ? 0xffff : 0xff));
    if (whole) bytes.push(value >> 8);
    bytes.push(value & 0xff);
  }
  return Uint8Array.from(bytes);
}

/** One CBOR item that fills `bytes`: numbers, byte strings, arrays, Maps, and the tag of a COSE_Sign1 as `{tag, value}`. */
export function fromCbor(bytes) {
  let at = 0;
  const take = (length) => {
    must(at + length <= bytes.length);
    at += length;
    return bytes.subarray(at - length, at);
  };
  const argument = (info) => {
    if (info < 24) return info;
    must(info <= 27);
    const number = take(2 ** (info - 24)).reduce((sum, byte) => sum * 256 + byte, 0);
    must(Number.isSafeInteger(number));
    return number;
  };
  const item = (depth) => {
    must(depth < 6);
    const [first] = take(1);
    const number = argument(first & 31);
    const several = () => Array.from({ length: number }, () => (must(at < bytes.length), item(depth + 1)));
    switch (first >> 5) {
      case 0:
        return number;
      case 1:
        return -1 - number;
      case 2:
        return take(number);
      case 4:
        must(number <= bytes.length);
        return several();
      case 5:
        must(number <= bytes.length);
        return new Map(Array.from({ length: number }, () => [item(depth + 1), item(depth + 1)]));
      case 6:
        return { tag: number, value: item(depth + 1) };
      default:
        throw new Unreadable("unreadable"); // texts, floats and simple values stand in no pass
    }
  };
  const whole = item(0);
  must(at === bytes.length);
  return whole;
}

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function bytesOf(value) {
  must(value instanceof Uint8Array);
  return value;
}

/** What a token holds before anything is believed: the key's id, the signed bytes, the signature, the payload. */
function open(token) {
  const { tag, value } = fromCbor(fromBase45(token.slice(PREFIX.length)));
  must(tag === 18 && Array.isArray(value) && value.length === 4);
  const protectedHeader = bytesOf(value[0]);
  const payload = bytesOf(value[2]);
  const header = fromCbor(protectedHeader);
  must(header instanceof Map && header.get(1) === -7); // ES256, whatever the other header says
  return { kid: hex(bytesOf(header.get(4))), signature: bytesOf(value[3]), payload, signed: signedBytes(protectedHeader, payload) };
}

/** A CBOR byte string with its head. */
function byteString(bytes) {
  const length = bytes.length;
  const head = length < 24 ? [0x40 | length] : length < 256 ? [0x58, length] : [0x59, length >> 8, length & 0xff];
  return [...head, ...bytes];
}

/** The Sig_structure of a COSE_Sign1: what its signature is about. */
function signedBytes(protectedHeader, payload) {
  const context = new TextEncoder().encode("Signature1");
  return Uint8Array.from([0x84, 0x60 | context.length, ...context, ...byteString(protectedHeader), 0x40, ...byteString(payload)]);
}

function claimsOf(payload) {
  const claims = fromCbor(payload);
  must(claims instanceof Map);
  const facts = bytesOf(claims.get(FACTS));
  const expiry = claims.get(EXPIRY);
  const tier = TIERS[facts[0] & 3];
  must(Number.isSafeInteger(expiry) && tier && facts.length >= COUNTIES_FROM);
  const counties = [];
  for (let at = COUNTIES_FROM; at + 2 < facts.length; at += 3) {
    counties.push(String((facts[at] << 16) | (facts[at + 1] << 8) | facts[at + 2]).padStart(6, "0"));
  }
  const hours = facts[5];
  return {
    serial: hex(bytesOf(claims.get(SERIAL))),
    expires_at: new Date(expiry * 1000).toISOString(),
    tier,
    document: hex(facts.subarray(1, 5)),
    counties,
    truncated: Boolean(facts[0] & 4),
    unresolved: Boolean(facts[0] & 8),
    negative_test_at: hours ? new Date(expiry * 1000 - hours * HOUR_MS).toISOString() : null,
  };
}

const imported = new Map();

function publicKey({ kid, kty, crv, x, y }) {
  const name = `${kid}.${x}.${y}`;
  if (!imported.has(name)) imported.set(name, crypto.subtle.importKey("jwk", { kty, crv, x, y }, CURVE, false, ["verify"]));
  return imported.get(name);
}

/** Import the keys ahead of the first scan. */
export const prepareKeys = (keys) => Promise.allSettled(keys.map(publicKey));

/** Whether this browser can verify signatures at all: on plain http it lends no WebCrypto. */
export const canVerify = () => Boolean(globalThis.crypto?.subtle);

/**
 * Read a token and verify it with the snapshot's `keys` (JWK with `kid`): `{problem, claims}`. `problem` is null, unreadable,
 * other_key, forged or expired (at `now`, milliseconds); the claims stand also when expired. Never rejects.
 */
export async function readPass(token, keys, now) {
  let opened;
  try {
    must(token.startsWith(PREFIX) && token.length <= LONGEST);
    opened = open(token);
  } catch {
    return { problem: "unreadable", claims: null };
  }
  const key = keys.find((one) => one.kid === opened.kid);
  if (!key) return { problem: "other_key", claims: null };
  try {
    const good = await crypto.subtle.verify(ALGORITHM, await publicKey(key), opened.signature, opened.signed);
    if (!good) return { problem: "forged", claims: null };
    const claims = claimsOf(opened.payload);
    return { problem: Date.parse(claims.expires_at) <= now ? "expired" : null, claims };
  } catch {
    return { problem: "unreadable", claims: null };
  }
}
