/** A camera that is cancelled while the browser still asks for permission. Tests of pages cannot keep a browser's prompt open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Camera } from "../../passes/frontend/ui/camera.js";

/** A device whose permission the test grants. */
function deviceOf() {
  const asked = [];
  const getUserMedia = () => new Promise((resolve) => asked.push(resolve));
  globalThis.navigator ??= {};
  Object.defineProperty(globalThis.navigator, "mediaDevices", { value: { getUserMedia }, configurable: true });
  globalThis.document = { hidden: true };
  globalThis.HTMLMediaElement = { HAVE_CURRENT_DATA: 2 };
  const grant = (at) => {
    const track = { on: true, stop: () => (track.on = false) };
    asked[at]({ getTracks: () => [track], getVideoTracks: () => [track] });
    return track;
  };
  return { grant };
}
const video = () => ({ srcObject: null, readyState: 0, play: async () => undefined });

test("a camera that was given up before it was allowed sees nothing", async () => {
  const { grant } = deviceOf();
  const camera = new Camera(video(), { read: async () => [] }, () => undefined);
  const started = camera.start("environment");
  camera.stop();
  const track = grant(0);
  assert.equal(await started, false);
  assert.deepEqual([track.on, camera.running, camera.stream], [false, false, null]);
});

test("of two questions the later one gives the picture, and one camera runs", async () => {
  const { grant } = deviceOf();
  const camera = new Camera(video(), { read: async () => [] }, () => undefined);
  const [first, second] = [camera.start("user"), camera.start("environment")];
  const tracks = [grant(0), grant(1)];
  assert.deepEqual(await Promise.all([first, second]), [false, true]);
  assert.deepEqual(tracks.map(({ on }) => on), [false, true]);
  camera.stop();
  assert.equal(tracks[1].on, false);
});
