/**
 * A QR code of an address, drawn with the small half of the encoder: it lacks what makes codes of passes smaller. A file of
 * its own, because few doors are tablets that show one.
 */
import { correction, generate } from "lean-qr/nano";

/** Quiet zone that ISO/IEC 18004 asks for, in modules. */
const QUIET_MODULES = 4;

/** @param {HTMLCanvasElement} canvas one pixel a module; the style sheet scales it @param {string} address */
export function drawAddress(canvas, address) {
  generate(address, { minCorrectionLevel: correction.L }).toCanvas(canvas, { on: [0, 0, 0], off: [255, 255, 255], pad: QUIET_MODULES });
}
