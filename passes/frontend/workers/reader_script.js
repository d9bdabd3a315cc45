/** QR codes read in plain JavaScript, for browsers that block WebAssembly. */
export { decodeQR } from "qr/decode.js";
