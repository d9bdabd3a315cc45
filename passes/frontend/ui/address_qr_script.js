/**
 * A QR code of a URL, drawn with the small part of the encoder, without the mode that makes codes of passes smaller. It
 * is a separate file, because few doors are tablets that show one.
 */
import { correction, generate } from "lean-qr/nano";

/** Quiet zone required by ISO/IEC 18004, in modules. */
const QUIET_MODULES = 4;

/** @param {HTMLCanvasElement} canvas one pixel a module; the style sheet scales it @param {string} address */
export function drawAddress(canvas, address) {
  generate(address, { minCorrectionLevel: correction.L }).toCanvas(canvas, { on: [0, 0, 0], off: [255, 255, 255], pad: QUIET_MODULES });
}
