/** Scanning a code on a visitor's page: with the camera, or from a picture on the device. */
import { Camera, Reader, readerFiles } from "./camera.js";
import { fill, find, when, word } from "./page.js";

/** Scanner of a page with a `<video data-camera>` in `data-when="camera"`, a slot for notes, and their texts. */
export class Scanner {
  /**
   * @param {string} slot where notes go
   * @param {(text: string) => Promise<string>} take called with the text of a code; returns the name of the note to show, or empty
   */
  constructor(slot, take) {
    this.slot = slot;
    this.take = take;
    this.busy = false;
    /** @type {Camera | null} */
    this.camera = null;
  }

  /** @param {string} name of a text of the page, or empty */
  note(name) {
    fill(this.slot, name ? word(name) : "");
  }

  async start() {
    const video = /** @type {HTMLVideoElement} */ (find("[data-camera]"));
    this.camera ??= new Camera(video, new Reader(readerFiles()), (text) => void this.see(text));
    const started = await this.camera.start("environment");
    when("camera", started);
    this.note(started ? "looking" : "no-camera");
  }

  stop() {
    this.camera?.stop();
    when("camera", false);
  }

  /** @param {string} text */
  async see(text) {
    if (this.busy) return;
    this.busy = true;
    try {
      this.note(await this.take(text));
    } finally {
      this.busy = false;
    }
  }

  /** @param {File | undefined} file */
  async readPicture(file) {
    if (!file) return;
    const reader = new Reader(readerFiles());
    try {
      const [text] = await reader.read(await createImageBitmap(file));
      if (text === undefined) this.note("nothing");
      else await this.see(text);
    } catch {
      this.note("nothing"); // not a picture
    } finally {
      reader.stop();
    }
  }
}
