/**
 * Passes read over NFC, in browsers that have Web NFC. A tag holds the static pass in one NDEF record of the external
 * type `crowdtrace:pass` (`docs/protocol.md`, section 5); any other record is ignored.
 *
 * @typedef {{recordType: string, data?: DataView}} TagRecord
 * @typedef {{scan: () => Promise<void>, onreading: ((event: {message: {records: TagRecord[]}}) => void) | null}} TagReader
 */
import { encodeBase45 } from "../core/base45.js";
import { PREFIX } from "../core/pass.js";

const RECORD_TYPE = "crowdtrace:pass";

/** @returns {boolean} */
export function readsTags() {
  return "NDEFReader" in globalThis;
}

/**
 * @param {(text: string) => void} onText called with the text of each pass
 * @returns {Promise<boolean>} false if the browser or the person refuses
 */
export async function readTags(onText) {
  try {
    const reader = /** @type {TagReader} */ (new /** @type {any} */ (globalThis).NDEFReader());
    reader.onreading = ({ message }) => {
      for (const { recordType, data } of message.records) {
        if (recordType !== RECORD_TYPE || !data) continue;
        onText(PREFIX + encodeBase45(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
      }
    };
    await reader.scan();
    return true;
  } catch {
    return false;
  }
}
