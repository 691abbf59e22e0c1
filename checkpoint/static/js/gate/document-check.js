// The document in the officer's hand against the pass on screen: typed, or read by a card reader that types like a keyboard.
// With network the server compares; without it the tablet compares the short keyed tag that the pass carries.

import { part, say } from "./words.js";

const READER_GAP_MS = 60;
const RESIDENT_ID = /^\d{17}[\dXx]$/;

/** A document number as it is stored and as its tag is made: NFKC, capitals, without blanks and hyphens. */
export const normalised = (typed) => typed.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase();

const fromBase64 = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

/** The four bytes that a pass carries of a document, as hexadecimal digits. */
export async function documentTag(documentKey, number) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", fromBase64(documentKey), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(normalised(number)));
  return [...new Uint8Array(mac, 0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class DocumentCheck {
  #client;
  #tagOf;
  #scan = null;
  #burst = "";
  #last = 0;

  /** `tagOf(token)` resolves to `{tag, key}` of a pass without network, or null. */
  constructor({ client, lane, tagOf }) {
    this.#client = client;
    this.#tagOf = tagOf;
    lane.addEventListener("judged", ({ detail }) => this.#open(detail.view.person || detail.scan.token ? detail.scan : null));
    lane.addEventListener("decided", () => this.#open(null));
    part("document-form").onsubmit = (event) => {
      event.preventDefault();
      this.#check(part("document-number").value);
    };
    // Before the lane's own watch of the keyboard: a card that is read while a verdict stands is a document, not a next scan.
    window.addEventListener("keydown", (event) => this.#pressed(event), { capture: true });
  }

  #open(scan) {
    this.#scan = scan;
    part("document-number").value = "";
    this.#tell("", "none");
  }

  #pressed(event) {
    const isField = event.target === part("document-number");
    if (!this.#scan || part("verdict").hidden || (!isField && event.target instanceof HTMLTextAreaElement)) return;
    const now = performance.now();
    if (event.key === "Enter") {
      const read = isField ? part("document-number").value : this.#burst;
      this.#burst = "";
      if (!isField && !RESIDENT_ID.test(read)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      part("document-number").value = read;
      this.#check(read);
    } else if (event.key.length === 1) {
      this.#burst = now - this.#last < READER_GAP_MS ? this.#burst + event.key : event.key;
      this.#last = now;
      if (isField) event.stopImmediatePropagation();
    }
  }

  async #check(typed) {
    const scan = this.#scan;
    if (!scan || !normalised(typed)) return;
    this.#tell(say("document.busy"), "info");
    const found = await this.#compare(scan, typed);
    if (scan === this.#scan) this.#tell(say(`document.${found}`), { match: "good", mismatch: "bad" }[found] ?? "info");
  }

  /** `match`, `mismatch`, or `unknown` when neither the server nor the pass can tell. */
  async #compare(scan, typed) {
    try {
      const body = { scan_id: scan.scan_id, id_number: normalised(typed) };
      const { match } = await this.#client.call("/api/v1/gate/documents", { method: "POST", body });
      return match ? "match" : "mismatch";
    } catch (problem) {
      if (![0, 404, 502, 503, 504].includes(problem.status ?? 0)) return "unknown";
    }
    const carried = await this.#tagOf(scan.token).catch(() => null);
    if (!carried?.key || !carried.tag) return "unknown";
    return (await documentTag(carried.key, typed)) === carried.tag ? "match" : "mismatch";
  }

  #tell(words, tone) {
    const place = part("document-result");
    place.textContent = words;
    place.dataset.tone = tone;
    place.hidden = !words;
  }
}
