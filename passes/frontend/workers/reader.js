/**
 * Read QR codes from images: first with the browser's detector, then with ZXing in WebAssembly, and with plain JavaScript
 * if WebAssembly is blocked. Texts are sent only to the page of this worker.
 */
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";

/**
 * @typedef {(image: ImageBitmap) => Promise<string[]>} Read
 * @typedef {{detect(image: ImageBitmap): Promise<{rawValue: string}[]>}} Detector
 */

/** @type {Promise<Read[]> | undefined} */
let readers;

/** @param {ImageBitmap} image @returns {ImageData} */
function pixels(image) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, image.width, image.height);
}

/** @returns {Promise<Read | null>} */
async function nativeReader() {
  /** @type {any} */
  const Native = Reflect.get(self, "BarcodeDetector");
  if (!Native || !(await Native.getSupportedFormats()).includes("qr_code")) return null;
  /** @type {Detector} */
  const detector = new Native({ formats: ["qr_code"] });
  return async (image) => (await detector.detect(image)).map((code) => code.rawValue);
}

/** @param {string} wasm @returns {Promise<Read | null>} */
async function zxingReader(wasm) {
  try {
    await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  } catch {
    return null;
  }
  return async (image) => {
    const codes = await readBarcodes(pixels(image), { formats: ["QRCode"], tryHarder: true, maxNumberOfSymbols: 8 });
    return codes.filter((code) => code.isValid).map((code) => code.text);
  };
}

/** @param {string} address @returns {Promise<Read>} loaded only if needed */
async function scriptReader(address) {
  /** @type {typeof import("./reader_script.js")} */
  const { decodeQR } = await import(address);
  return async (image) => {
    try {
      return [decodeQR(pixels(image))];
    } catch {
      return []; // it throws if it finds none
    }
  };
}

/** @param {{wasm: string, script: string}} files @returns {Promise<Read[]>} in the order of use */
async function prepare({ wasm, script }) {
  const native = await nativeReader().catch(() => null);
  const other = (await zxingReader(wasm)) ?? (await scriptReader(script));
  return [native, other].filter((reader) => reader !== null);
}

/** @param {ImageBitmap} image @returns {Promise<string[]>} */
async function read(image) {
  for (const reader of (await readers) ?? []) {
    const texts = await reader(image).catch(() => []);
    if (texts.length > 0) return texts;
  }
  return [];
}

const scope = /** @type {DedicatedWorkerGlobalScope} */ (/** @type {unknown} */ (self));

scope.addEventListener("message", async ({ data }) => {
  if (data.wasm) {
    readers = prepare(data);
    return;
  }
  const texts = await read(data.image);
  data.image.close();
  scope.postMessage({ id: data.id, texts });
});
