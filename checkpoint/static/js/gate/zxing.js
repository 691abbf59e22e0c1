// The WebAssembly QR reader, from our own host. Loaded in a worker, or in the page where workers cannot be modules.

import { prepareZXingModule, readBarcodes } from "../../vendor/zxing/reader/index.js";

const WASM = new URL("../../vendor/zxing/reader/zxing_reader.wasm", import.meta.url).href;
const OPTIONS = {
  formats: ["QRCode"],
  tryHarder: true,
  tryInvert: true, // a phone in dark mode that turns the code's colours round
  tryRotate: false, // a QR code is found at any angle without it
  tryDownscale: true,
  maxNumberOfSymbols: 3, // a pass is found also beside a poster
};

/** Fetch and compile the reader; resolves when the first picture can be read. */
export async function prepareReader() {
  await prepareZXingModule({
    overrides: { locateFile: (path, prefix) => (path.endsWith(".wasm") ? WASM : prefix + path) },
    fireImmediately: true,
  });
}

/** The texts of the QR codes in a picture (ImageData). */
export async function readCodes(picture) {
  const found = await readBarcodes(picture, OPTIONS);
  return found.filter((one) => one.isValid && one.text).map((one) => one.text);
}
