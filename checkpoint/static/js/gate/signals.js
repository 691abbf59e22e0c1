// Sound and vibration, each verdict its own. Made on the spot, no files; silent until the page was touched once (browsers ask so).

// Notes as [frequency in Hz, start and length in seconds], the shape of the wave, and the vibration in milliseconds.
const SIGNALS = {
  admit: { wave: "sine", notes: [[880, 0, 0.12], [1320, 0.12, 0.22]], buzz: [80] },
  test: { wave: "triangle", notes: [[660, 0, 0.16], [660, 0.24, 0.16]], buzz: [120, 80, 120] },
  hold: { wave: "square", notes: [[392, 0, 0.22], [294, 0.24, 0.22], [392, 0.48, 0.22], [294, 0.72, 0.3]], buzz: [300, 100, 300, 100, 300] },
  refuse: { wave: "sawtooth", notes: [[160, 0, 0.65]], buzz: [700] },
  foreign: { wave: "sine", notes: [[330, 0, 0.1], [262, 0.1, 0.16]], buzz: [40, 40, 40] },
  due: { wave: "triangle", notes: [[988, 0, 0.15], [740, 0.2, 0.15], [988, 0.4, 0.15], [740, 0.6, 0.25]], buzz: [200, 100, 200, 100, 400] },
  recorded: { wave: "sine", notes: [[1046, 0, 0.07]], buzz: [30] },
};
const LOUDNESS = { sine: 0.5, triangle: 0.5, square: 0.16, sawtooth: 0.22 };

export class Signals {
  #context = null;
  muted = false;

  constructor() {
    const wake = () => this.#awake();
    for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, wake, { capture: true, passive: true });
  }

  #awake() {
    const Context = globalThis.AudioContext ?? globalThis.webkitAudioContext;
    if (!Context) return;
    this.#context ??= new Context();
    if (this.#context.state === "suspended") this.#context.resume().catch(() => {});
  }

  /** Give the signal of this name; vibration comes also when the sound is off. */
  give(name) {
    const signal = SIGNALS[name];
    document.documentElement.dataset.signal = name;
    navigator.vibrate?.(signal.buzz);
    if (this.muted || this.#context?.state !== "running") return;
    for (const [frequency, start, length] of signal.notes) this.#note(signal.wave, frequency, start, length);
  }

  #note(wave, frequency, start, length) {
    const context = this.#context;
    const from = context.currentTime + start;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = wave;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, from);
    volume.gain.exponentialRampToValueAtTime(LOUDNESS[wave], from + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, from + length);
    tone.connect(volume).connect(context.destination);
    tone.start(from);
    tone.stop(from + length + 0.02);
  }
}
