// Looks at each new frame of the video for codes. Paused while a verdict is on screen; the picture stays live.

const FAILURES_BEFORE_GIVING_UP = 30;

/** Events: `codes` {texts, at} with the time of the frame (performance.now), `broken` {} when the reader fails for good. */
export class Scanner extends EventTarget {
  #video;
  #reader = null;
  #looking = false;
  #busy = false;
  #failures = 0;
  #scheduled = false;

  constructor(video) {
    super();
    this.#video = video;
  }

  set reader(reader) {
    this.#reader = reader;
    this.#next();
  }

  start() {
    this.#looking = true;
    this.#next();
  }

  pause() {
    this.#looking = false;
  }

  #next() {
    if (!this.#looking || !this.#reader || this.#scheduled) return;
    this.#scheduled = true;
    const look = (now, frame) => {
      this.#scheduled = false;
      this.#look(frame?.presentationTime ?? now);
      this.#next();
    };
    if ("requestVideoFrameCallback" in this.#video) this.#video.requestVideoFrameCallback(look);
    else requestAnimationFrame(look);
  }

  async #look(at) {
    if (this.#busy || !this.#looking || !this.#video.videoWidth) return;
    this.#busy = true;
    try {
      const texts = await this.#reader.read(this.#video);
      this.#failures = 0;
      if (texts.length && this.#looking) this.dispatchEvent(new CustomEvent("codes", { detail: { texts, at } }));
    } catch {
      this.#failures += 1;
      if (this.#failures === FAILURES_BEFORE_GIVING_UP) this.dispatchEvent(new CustomEvent("broken"));
    } finally {
      this.#busy = false;
    }
  }
}
