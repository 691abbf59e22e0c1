// What this tablet keeps of officers: their names, and for those who have signed in with network the means to let them in
// again without it for twelve hours. The PIN itself is never kept: PBKDF2 with a salt of this tablet's own.

import { keep, recall } from "./store.js";

const LIST = "officers";
const PROOFS = "officer-proofs";
const ITERATIONS = 600_000; // OWASP's recommendation for PBKDF2 with HMAC-SHA-256
const MISSES_BEFORE_WAITING = 4;
const WAIT_MS = 60_000;

const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

async function derive(pin, salt) {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS }, key, 256);
  return base64(bits);
}

/** The officers who may sign in here, as the server last told: `[{id, name, stamp}]`. */
export const knownOfficers = async () => (await recall(LIST)) ?? [];

/** Take over the server's list; whoever is not on it any more, or has another PIN, must sign in with network again. */
export async function learnOfficers(officers) {
  await keep(LIST, officers);
  const stamps = new Map(officers.map(({ id, stamp }) => [id, stamp]));
  const proofs = (await recall(PROOFS)) ?? {};
  const left = Object.entries(proofs).filter(([id, proof]) => stamps.get(id) === proof.stamp && proof.until > Date.now());
  if (left.length !== Object.keys(proofs).length) await keep(PROOFS, Object.fromEntries(left));
}

/** After a sign-in with network: from now on the PIN opens this tablet for `hours` without it. */
export async function rememberPin(officer, pin, hours) {
  if (!globalThis.crypto?.subtle) return; // plain http: this tablet asks the server each time
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const proof = { salt: base64(salt), verifier: await derive(pin, salt), stamp: officer.stamp, until: Date.now() + hours * 3_600_000 };
  await keep(PROOFS, { ...(await recall(PROOFS)), [officer.id]: { ...proof, misses: 0, after: 0 } });
}

/** Without network: `right`, `wrong`, `wait` after too many wrong ones, or `unknown` for whom this tablet cannot vouch. */
export async function checkPin(officerId, pin) {
  const proofs = (await recall(PROOFS)) ?? {};
  const proof = proofs[officerId];
  if (!proof || proof.until <= Date.now()) return "unknown";
  if (proof.after > Date.now()) return "wait";
  const right = (await derive(pin, bytes(proof.salt))) === proof.verifier;
  const misses = right ? 0 : proof.misses + 1;
  const after = misses >= MISSES_BEFORE_WAITING ? Date.now() + WAIT_MS : 0;
  await keep(PROOFS, { ...proofs, [officerId]: { ...proof, misses, after } });
  return right ? "right" : "wrong";
}
