/** QR codes drawn on the device: the server sees neither the secret nor the rotating code. */
import { correction, generate } from "lean-qr";

/** Quiet zone required by ISO/IEC 18004, in modules. */
const QUIET_MODULES = 4;

/**
 * @param {HTMLCanvasElement} canvas one pixel a module; the style sheet scales it
 * @param {string} text
 * @param {"screen" | "paper"} surface a screen takes the lowest correction (larger modules), paper the next
 */
export function drawQr(canvas, text, surface) {
  const level = surface === "screen" ? correction.L : correction.M;
  // The encoder raises the correction level as long as the code does not grow; modules keep their size.
  const code = generate(text, { minCorrectionLevel: level });
  code.toCanvas(canvas, { on: [0, 0, 0], off: [255, 255, 255], pad: QUIET_MODULES });
}

/** @param {string} text @param {"screen" | "paper"} surface @returns {string} a PNG as a data URL, for download */
export function qrImage(text, surface) {
  const level = surface === "screen" ? correction.L : correction.M;
  return generate(text, { minCorrectionLevel: level }).toDataURL({ on: [0, 0, 0], off: [255, 255, 255], pad: QUIET_MODULES, scale: 12 });
}
