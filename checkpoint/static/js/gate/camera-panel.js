// The picture on the page: opens the camera, says in words why there is none, offers other cameras and the lamp, keeps the screen on.

import { Camera, NoCamera } from "./camera.js";
import { forget, keep, recall } from "./store.js";
import { make, part, say } from "./words.js";

export class CameraPanel {
  #select = part("camera-choice");
  #torch = part("torch");
  #message = part("camera-message");
  #wanted = false;
  #lock = null;

  constructor() {
    this.video = part("video");
    this.camera = new Camera(this.video, () => this.#fail("lost"));
    part("camera-again").addEventListener("click", () => this.open());
    this.#select.addEventListener("change", () => this.#choose(this.#select.value));
    this.#torch.addEventListener("click", () => this.#light());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.#wanted) this.#wakeUp();
    });
  }

  /** Open the camera that was used last, or the rear one. Never rejects: what is wrong stands in the picture's place. */
  async open() {
    this.#wanted = true;
    this.#say(say("camera.opening"), false);
    try {
      await this.camera.open((await recall("camera")) ?? "");
    } catch (error) {
      this.#fail(error instanceof NoCamera ? error.reason : "lost");
      return;
    }
    this.#say("", false);
    await this.#offer();
    this.#keepAwake();
  }

  close() {
    this.#wanted = false;
    this.camera.close();
    this.#lock?.release().catch(() => {});
    this.#lock = null;
  }

  /** Say that codes cannot be read, though there may be a picture. */
  readerFailed() {
    this.#say(say("camera.reader"), false);
  }

  #fail(reason) {
    this.camera.close();
    this.#say(say(`camera.${reason}`), reason !== "insecure");
    this.#torch.hidden = true;
  }

  #say(words, again) {
    part("camera-words").textContent = words;
    part("camera-again").hidden = !again;
    this.#message.hidden = !words;
  }

  async #offer() {
    const cameras = await this.camera.all();
    this.#select.hidden = cameras.length < 2;
    this.#select.replaceChildren(
      ...cameras.map(({ id, label }, index) => {
        const option = make("option", "", label || say("camera.number", { number: index + 1 }));
        option.value = id;
        option.selected = id === this.camera.id;
        return option;
      }),
    );
    this.#torch.hidden = !this.camera.hasTorch;
    this.#torch.setAttribute("aria-pressed", "false");
  }

  async #choose(id) {
    if (id) await keep("camera", id);
    else await forget("camera");
    await this.open();
  }

  async #light() {
    const on = this.#torch.getAttribute("aria-pressed") !== "true";
    this.#torch.setAttribute("aria-pressed", String(await this.camera.torch(on)));
  }

  async #wakeUp() {
    if (!this.camera.isOpen) await this.open();
    else this.#keepAwake();
  }

  async #keepAwake() {
    try {
      this.#lock = await navigator.wakeLock?.request("screen");
    } catch {
      this.#lock = null; // a low battery may refuse it
    }
  }
}
