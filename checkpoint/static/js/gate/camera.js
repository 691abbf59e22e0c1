// The tablet's camera: the rear one first, another on request, the lamp where there is one. Errors come as words of their own.

const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 } };

/** Why there is no picture: `reason` is denied, missing, busy, insecure or lost. */
export class NoCamera extends Error {
  constructor(reason) {
    super(reason);
    this.name = "NoCamera";
    this.reason = reason;
  }
}

const REASONS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

export class Camera {
  #stream = null;
  #lost = () => {};

  /** `video` shows the picture; `lost` is called when the camera ends by itself. */
  constructor(video, lost) {
    this.video = video;
    this.#lost = lost;
  }

  get isOpen() {
    return this.#stream?.active === true;
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0];
  }

  /** The id of the camera in use, and whether it has a lamp. */
  get id() {
    return this.#track?.getSettings().deviceId ?? "";
  }

  get hasTorch() {
    return Boolean(this.#track?.getCapabilities?.().torch);
  }

  /** Open the camera with this id, or the rear one; rejects with NoCamera. */
  async open(id = "") {
    this.close();
    if (!navigator.mediaDevices?.getUserMedia) throw new NoCamera("insecure");
    const stream = await this.#ask(id);
    this.#stream = stream;
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", () => stream === this.#stream && this.#lost());
    this.video.srcObject = stream;
    try {
      await this.video.play();
    } catch {
      if (stream === this.#stream) throw new NoCamera("lost"); // another camera was chosen meanwhile: that one plays
    }
  }

  async #ask(id) {
    const wanted = id ? { deviceId: { exact: id } } : { facingMode: { ideal: "environment" } };
    try {
      return await navigator.mediaDevices.getUserMedia({ video: { ...wanted, ...SIZE }, audio: false });
    } catch (error) {
      if (id && error.name === "OverconstrainedError") return this.#ask(""); // the chosen one was unplugged
      throw new NoCamera(REASONS[error.name] ?? "lost");
    }
  }

  close() {
    const stream = this.#stream;
    this.#stream = null;
    stream?.getTracks().forEach((track) => track.stop());
    this.video.srcObject = null;
  }

  /** All cameras, as {id, label}; labels are known once one has been opened. */
  async all() {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    return devices.filter((one) => one.kind === "videoinput").map((one) => ({ id: one.deviceId, label: one.label }));
  }

  /** Light on or off; resolves to what it is now. */
  async torch(on) {
    try {
      await this.#track.applyConstraints({ advanced: [{ torch: on }] });
      return on;
    } catch {
      return false;
    }
  }
}
