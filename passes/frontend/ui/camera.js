/**
 * A camera whose frames are read for QR codes in a worker.
 *
 * The native detector is used first if the browser has one. The page is not blocked: it only copies a frame when the
 * worker requests the next one.
 */

/** @typedef {{reader: string, wasm: string, script: string}} ReaderFiles URLs of the worker, its WebAssembly, its JavaScript */

/** @returns {ReaderFiles} as the page's script element names them */
export function readerFiles() {
  const script = document.querySelector("script[data-reader]");
  if (!(script instanceof HTMLElement)) throw new Error("the page names no reader");
  const address = (/** @type {string | undefined} */ path) => new URL(path ?? "", document.baseURI).href;
  return { reader: address(script.dataset.reader), wasm: address(script.dataset.wasm), script: address(script.dataset.script) };
}

/** Read frames and pictures, one at a time, in order of arrival. */
export class Reader {
  /** @param {ReaderFiles} files */
  constructor(files) {
    this.worker = new Worker(files.reader, { type: "module" });
    this.worker.postMessage({ wasm: files.wasm, script: files.script });
    /** @type {Map<number, (texts: string[]) => void>} */
    this.waiting = new Map();
    this.count = 0;
    this.worker.addEventListener("message", ({ data }) => {
      this.waiting.get(data.id)?.(data.texts);
      this.waiting.delete(data.id);
    });
  }

  /** @param {ImageBitmap} image transferred to the worker @returns {Promise<string[]>} texts of the codes */
  read(image) {
    const id = (this.count += 1);
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({ id, image }, [image]);
    });
  }

  stop() {
    this.worker.terminate();
  }
}

/** Largest width of a frame: wider ones take longer and find nothing more. */
const FRAME_WIDTH = 1280;
/** Interval between frames: reading every frame would heat a phone, and this many per second suffice. */
const PAUSE_MS = 60;

export class Camera {
  /**
   * @param {HTMLVideoElement} video
   * @param {Reader} reader
   * @param {(text: string) => void} onText called with every code of every frame, including repeats
   * @param {string} [wanted] prefix of codes that take precedence over others in a frame
   */
  constructor(video, reader, onText, wanted = "") {
    this.video = video;
    this.reader = reader;
    this.onText = onText;
    this.wanted = wanted;
    this.running = false;
    /** Number of starts and stops of the camera. */
    this.wishes = 0;
    /** @type {MediaStream | null} */
    this.stream = null;
  }

  /**
   * @param {"user" | "environment"} facing
   * @returns {Promise<boolean>} false if there is no camera, it is refused, or it was stopped before the answer
   */
  async start(facing) {
    this.stop();
    const wish = this.wishes;
    /** @type {MediaStream} */
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: facing, width: { ideal: FRAME_WIDTH } } });
    } catch {
      return false;
    }
    // The browser's prompt may be answered after the camera was stopped: then it must not start.
    if (wish !== this.wishes) {
      for (const track of stream.getTracks()) track.stop();
      return false;
    }
    this.stream = stream;
    this.video.srcObject = stream;
    await this.video.play().catch(() => undefined);
    if (wish !== this.wishes) return false;
    this.running = true;
    void this.look(stream);
    return true;
  }

  stop() {
    this.wishes += 1;
    this.running = false;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  /** @returns {boolean} whether this camera has a lamp */
  hasTorch() {
    const [track] = this.stream?.getVideoTracks() ?? [];
    return Boolean(/** @type {{torch?: boolean} | undefined} */ (track?.getCapabilities?.())?.torch);
  }

  /** @param {boolean} on @returns {Promise<boolean>} whether the lamp could be switched */
  async light(on) {
    const [track] = this.stream?.getVideoTracks() ?? [];
    const wish = /** @type {MediaTrackConstraints} */ (/** @type {unknown} */ ({ advanced: [{ torch: on }] }));
    return (await track?.applyConstraints(wish).then(() => true, () => false)) ?? false;
  }

  /** @param {MediaStream} stream */
  async look(stream) {
    while (this.running && this.stream === stream) {
      const started = performance.now();
      if (this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !document.hidden) {
        const texts = await this.frame();
        const wanted = texts.filter((text) => this.wanted && text.startsWith(this.wanted));
        for (const text of wanted.length > 0 ? wanted : texts) if (this.running) this.onText(text);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, PAUSE_MS - (performance.now() - started))));
    }
  }

  /** @returns {Promise<string[]>} */
  async frame() {
    try {
      return await this.reader.read(await createImageBitmap(this.video));
    } catch {
      return []; // the frame was released while it was copied
    }
  }
}
