// Makes a tablet one of ours: the one-time code from command, typed, or opened as a link or QR code from command's screen.

import { enrolDevice } from "./client.js";
import { codeOfAddress, enrolmentCode } from "./codes.js";
import { becomeDevice } from "./former.js";
import { part, say } from "./words.js";

export class Enrolment {
  #form = part("enrol-form");
  #field = part("enrol-code");
  #done = () => {};
  #busy = false;

  /** `done(device)` is called with `{token, checkpoint, label}` once it is stored. */
  constructor(done) {
    this.#done = done;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#exchange(this.#field.value);
    });
  }

  /** Whether the page was opened with a code in its address. */
  get isAsked() {
    return codeOfAddress(location) !== null;
  }

  /** Ask for a code; a tablet that is enrolled already may go on as it is. */
  show(words = "", enrolled = null) {
    this.#tell(words, "warning");
    part("enrol-known").hidden = !enrolled;
    if (enrolled) {
      part("enrol-known-words").textContent = say("enrol.again", { checkpoint: enrolled.checkpoint.name });
      part("enrol-known-go").onclick = () => this.#done(enrolled);
    }
    this.#field.focus();
  }

  /** Use the code of the page's address at once, and take it out of the address. */
  async fromAddress() {
    const code = codeOfAddress(location);
    if (location.hash || location.search || location.pathname !== "/gate") history.replaceState(null, "", "/gate");
    if (!code) return;
    this.#field.value = code;
    await this.#exchange(code);
  }

  async #exchange(typed) {
    const code = enrolmentCode(typed) ?? typed.trim();
    if (this.#busy || !code) return;
    this.#busy = true;
    this.#tell(say("enrol.busy"), "info");
    try {
      const { token, checkpoint, label } = await enrolDevice(code);
      const device = { token, checkpoint, label };
      await becomeDevice(device);
      this.#field.value = "";
      this.#tell("", "info");
      this.#done(device);
    } catch (problem) {
      this.#tell(words(problem), "error");
    } finally {
      this.#busy = false;
    }
  }

  #tell(text, tone) {
    const place = part("enrol-message");
    place.textContent = text;
    place.dataset.tone = tone;
    place.hidden = !text;
  }
}

function words(problem) {
  if (problem.status === 0) return say("enrol.offline");
  if (problem.status === undefined) return say("send.storage");
  return say("enrol.wrong", { cause: problem.problem?.errors?.[0]?.message ?? problem.message });
}
