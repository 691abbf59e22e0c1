// A whole declaration inside QR codes, for a phone and a tablet that have no network. Pure: no page, no store.
//
// A code is `CPR1:` and base45 (RFC 9285) of: 1 byte what the data is (1 JSON, 2 JSON compressed by deflate, RFC 1951), 1 byte number
// of this part from 0, 1 byte how many parts, the CRC-32 of the whole data, then this part of the data. The JSON
// is the body of POST /api/v1/registrations with one letter for each name.

export const PREFIX = "CPR1:";
/** Characters of one code that a phone's screen still shows with modules large enough for a camera at arm's length. */
export const LONGEST = 1200;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const PLAIN = 1;
const DEFLATED = 2;
const HEADER = 7;
const MOST_PARTS = 16;
const MOST_BYTES = 65536; // unpacked: a form with everything in it has a tenth of this
const LETTERS = {
  client_id: "c", name: "n", id_type: "t", id_number: "i", phone: "p", origin: "o", stays: "s", destination: "d", arriving_on: "a",
  checkpoint: "k", transport: "m", plate: "l", companions: "w", symptoms: "y", tests: "e", kind: "f", taken_at: "g", result: "r",
  code: "b", text: "x", from: "u", to: "v", address: "h",
};
const NAMES = Object.fromEntries(Object.entries(LETTERS).map(([name, letter]) => [letter, name]));

/** The text of a code is not ours, or is damaged. */
export class Unreadable extends Error {}

/**
 * The codes that carry a declaration, to be shown in turn when there is more than one.
 *
 * @param {object} body the body of POST /api/v1/registrations
 * @returns {Promise<string[]>}
 */
export async function toCodes(body) {
  const json = JSON.stringify(renamed(body, LETTERS));
  // Scanners trim a blank at the end of a code, and a blank is a digit of base45: blanks behind the JSON move every digit.
  for (let blanks = 0; ; blanks += 1) {
    const codes = await packed(json + " ".repeat(blanks));
    if (codes.every((code) => !code.endsWith(" ")) || blanks === 40) return codes;
  }
}

async function packed(json) {
  const plain = new TextEncoder().encode(json);
  const small = await deflated(plain);
  const data = small && small.length < plain.length ? small : plain;
  const characters = Math.ceil((data.length + HEADER) * 1.5) + PREFIX.length;
  const parts = characters <= LONGEST ? 1 : Math.ceil(data.length / Math.floor((LONGEST - PREFIX.length) / 1.5 - HEADER - 1));
  const size = Math.ceil(data.length / parts);
  const checksum = checksumOf(data);
  return Array.from({ length: parts }, (_, part) => {
    const header = [data === small ? DEFLATED : PLAIN, part, parts, ...checksum];
    return PREFIX + toBase45(Uint8Array.from([...header, ...data.subarray(part * size, (part + 1) * size)]));
  });
}

/** Collects the parts of a declaration as a camera meets them, in any order. */
export class Collector {
  #checksum = "";
  #parts = [];

  /**
   * Take one code: `{have, parts}` while more are needed, with `body` once it is whole. A part of another declaration starts anew.
   *
   * @throws {Unreadable}
   */
  async take(text) {
    const bytes = fromBase45(text.trim().toUpperCase().slice(PREFIX.length));
    const [kind, part, parts] = bytes;
    if (bytes.length <= HEADER || part >= parts || parts > MOST_PARTS || (kind !== PLAIN && kind !== DEFLATED)) throw new Unreadable();
    const checksum = bytes.subarray(3, HEADER).join();
    if (checksum !== this.#checksum || this.#parts.length !== parts) {
      this.#checksum = checksum;
      this.#parts = new Array(parts).fill(null);
    }
    this.#parts[part] = bytes.subarray(HEADER);
    const have = this.#parts.filter(Boolean).length;
    if (have < parts) return { have, parts };
    const data = Uint8Array.from(this.#parts.flatMap((one) => [...one]));
    this.#checksum = "";
    if (checksumOf(data).join() !== checksum) throw new Unreadable();
    return { have, parts, body: bodyOf(kind === DEFLATED ? await inflated(data) : data) };
  }
}

function bodyOf(data) {
  let body;
  try {
    body = renamed(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data)), NAMES);
  } catch (error) {
    throw new Unreadable(error.message);
  }
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(body?.client_id ?? "")) throw new Unreadable();
  return body;
}

function renamed(value, names) {
  if (Array.isArray(value)) return value.map((one) => renamed(one, names));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [names[key] ?? key, renamed(one, names)]));
}

/** CRC-32 (ISO 3309), most significant byte first: tells damage, and the parts of one declaration from those of another. */
function checksumOf(data) {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  const sum = ~crc >>> 0;
  return [sum >>> 24, (sum >>> 16) & 0xff, (sum >>> 8) & 0xff, sum & 0xff];
}

/** The bytes compressed; null where the browser cannot. */
async function deflated(bytes) {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    return null;
  }
}

async function inflated(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const found = [];
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      for (const byte of next.value) found.push(byte);
      if (found.length > MOST_BYTES) throw new Unreadable();
    }
  } catch (error) {
    throw new Unreadable(error.message);
  }
  return Uint8Array.from(found);
}

export function toBase45(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    let value = at + 1 < bytes.length ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
    for (let digits = at + 1 < bytes.length ? 3 : 2; digits; digits -= 1) {
      text += ALPHABET[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return text;
}

export function fromBase45(text) {
  const bytes = [];
  for (let at = 0; at < text.length; at += 3) {
    const digits = [...text.slice(at, at + 3)].map((one) => ALPHABET.indexOf(one));
    const value = digits.reduceRight((sum, digit) => sum * 45 + digit, 0);
    if (digits.length === 1 || digits.includes(-1) || value > (digits.length === 3 ? 0xffff : 0xff)) throw new Unreadable();
    if (digits.length === 3) bytes.push(value >> 8);
    bytes.push(value & 0xff);
  }
  return Uint8Array.from(bytes);
}
