// Reads QR codes beside the page, so that the picture of the camera never stutters.

import { prepareReader, readCodes } from "./zxing.js";

const ready = prepareReader();
ready.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ ready: false, error: error.message }),
);

addEventListener("message", async ({ data: { number, pixels, width, height } }) => {
  let texts = [];
  try {
    await ready;
    texts = await readCodes(new ImageData(new Uint8ClampedArray(pixels), width, height));
  } catch (error) {
    postMessage({ number, texts, error: error.message });
    return;
  }
  postMessage({ number, texts });
});
