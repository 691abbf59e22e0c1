// One way to read QR codes from a video: the browser's own detector where there is one, else zxing in a worker, else in the page.

const LONGEST_SIDE = 1280; // pixels: more costs time and finds no more codes at arm's length

/** A reader with `read(video)`, which resolves to the texts in the present frame. Rejects if none can be had. */
export async function openReader() {
  return (await nativeReader()) ?? (await workerReader().catch(() => pageReader()));
}

async function nativeReader() {
  if (!("BarcodeDetector" in globalThis)) return null;
  try {
    if (!(await BarcodeDetector.getSupportedFormats()).includes("qr_code")) return null;
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    await detector.detect(new ImageData(8, 8)); // some builds offer the detector and lack the service behind it
    return { name: "native", read: async (video) => (await detector.detect(video)).map((one) => one.rawValue) };
  } catch {
    return null;
  }
}

/** Draws frames of a video into pixels. */
class Grabber {
  #canvas = document.createElement("canvas");
  #context = this.#canvas.getContext("2d", { willReadFrequently: true });

  grab(video) {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    const width = Math.round(video.videoWidth * scale);
    const height = Math.round(video.videoHeight * scale);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.drawImage(video, 0, 0, width, height);
    return this.#context.getImageData(0, 0, width, height);
  }
}

function workerReader() {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/gate/reader.js", { type: "module" });
    const grabber = new Grabber();
    const waiting = new Map();
    let number = 0;
    const read = (video) =>
      new Promise((done, failed) => {
        const picture = grabber.grab(video);
        number += 1;
        waiting.set(number, { done, failed });
        const { width, height } = picture;
        worker.postMessage({ number, pixels: picture.data.buffer, width, height }, [picture.data.buffer]);
      });
    worker.addEventListener("error", (event) => {
      reject(new Error(event.message || "worker"));
      for (const { failed } of waiting.values()) failed(new Error("worker"));
      waiting.clear();
    });
    worker.addEventListener("message", ({ data }) => {
      if (data.ready === true) resolve({ name: "worker", read });
      else if (data.ready === false) {
        worker.terminate();
        reject(new Error(data.error));
      } else {
        const asked = waiting.get(data.number);
        waiting.delete(data.number);
        if (data.error) asked.failed(new Error(data.error));
        else asked.done(data.texts);
      }
    });
  });
}

async function pageReader() {
  const { prepareReader, readCodes } = await import("./zxing.js");
  await prepareReader();
  const grabber = new Grabber();
  return { name: "page", read: (video) => readCodes(grabber.grab(video)) };
}
