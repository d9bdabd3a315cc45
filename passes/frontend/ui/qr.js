/** QR codes drawn on the device: the server never sees the secret nor the code of the minute. */
import { correction, generate } from "lean-qr";

/** Quiet zone that ISO/IEC 18004 asks for, in modules. */
const QUIET_MODULES = 4;

/**
 * @param {HTMLCanvasElement} canvas one pixel a module; the style sheet scales it
 * @param {string} text
 * @param {"screen" | "paper"} surface a screen takes the lowest correction (larger modules), paper the next
 */
export function drawQr(canvas, text, surface) {
  const level = surface === "screen" ? correction.L : correction.M;
  // The encoder would raise the correction where it costs no size; that keeps modules as large as they are.
  const code = generate(text, { minCorrectionLevel: level });
  code.toCanvas(canvas, { on: [0, 0, 0], off: [255, 255, 255], pad: QUIET_MODULES });
}

/** @param {string} text @param {"screen" | "paper"} surface @returns {string} a PNG as a data address, to be saved */
export function qrImage(text, surface) {
  const level = surface === "screen" ? correction.L : correction.M;
  return generate(text, { minCorrectionLevel: level }).toDataURL({ on: [0, 0, 0], off: [255, 255, 255], pad: QUIET_MODULES, scale: 12 });
}
