// Seals what this tablet carries to the server's public key (`seal_key` of the snapshot): whoever takes the tablet reads nothing.
// An envelope is a 65-byte uncompressed ephemeral P-256 public key, a 12-byte nonce, and the AES-256-GCM ciphertext with its tag; the
// key is HKDF-SHA-256 of the ECDH secret with an empty salt and the info `checkpoint carried 1`. privacy/carried.py opens it.

const CURVE = { name: "ECDH", namedCurve: "P-256" };
const NONCE = 12;
const CHUNK = 8192; // bytes: a function takes only so many arguments
const INFO = new TextEncoder().encode("checkpoint carried 1");

/**
 * Seal bytes to a public key.
 *
 * @param {{kty: string, crv: string, x: string, y: string}} jwk
 * @param {Uint8Array} bytes
 * @returns {Promise<Uint8Array>} the envelope
 */
export async function sealTo({ kty, crv, x, y }, bytes) {
  const { subtle } = crypto;
  const theirs = await subtle.importKey("jwk", { kty, crv, x, y, ext: true }, CURVE, false, []);
  const own = await subtle.generateKey(CURVE, false, ["deriveBits"]);
  const secret = await subtle.deriveBits({ name: "ECDH", public: theirs }, own.privateKey, 256);
  const material = await subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: INFO };
  const key = await subtle.deriveKey(derivation, material, { name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE));
  const point = await subtle.exportKey("raw", own.publicKey);
  const sealed = await subtle.encrypt({ name: "AES-GCM", iv: nonce }, key, bytes);
  return new Uint8Array(await new Blob([point, nonce, sealed]).arrayBuffer());
}

/** Base64url without padding (RFC 4648). */
export function base64url(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
