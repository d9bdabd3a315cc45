/**
 * Doors of a kiosk that lose the network for a day: the code of the page, with a clock that is stepped and a store in
 * memory.
 *
 * Reads {root_key, bundle, doors: [[{at, text}]]} from standard input, texts in base64url; prints for each door
 * {lights, queue}: the lights in the order of the scans, and the sealed scans that wait for the network.
 */
import { readFileSync } from "node:fs";
import { fromBase64Url } from "../../passes/frontend/core/bytes.js";
import { openBundle } from "../../passes/frontend/door/bundle.js";
import { DoorClock } from "../../passes/frontend/door/clock.js";
import { Door } from "../../passes/frontend/door/door.js";
import { ServerLink } from "../../passes/frontend/door/link.js";
import { ReplayBook } from "../../passes/frontend/door/replay.js";

const given = JSON.parse(readFileSync(0, "utf8"));

Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });
globalThis.fetch = async () => {
  throw new TypeError("the cable is cut");
};

/** The part of the store that a door uses. */
class MemoryStore {
  queue = [];
  async record(scan) {
    this.queue.push(scan);
  }
  async remember() {}
  async saveSetting() {}
  async forget() {}
}

async function day(scans) {
  const bundle = await openBundle(fromBase64Url(given.bundle), fromBase64Url(given.root_key));
  let seconds = bundle.serverTime;
  const clock = new DoorClock({ wallMs: () => seconds * 1000, timerMs: () => seconds * 1000 });
  clock.correct(bundle.serverTime);
  const store = new MemoryStore();
  const door = new Door({ store, link: new ServerLink("a device's token"), clock, replay: new ReplayBook(crypto.getRandomValues(new Uint8Array(32))) });
  door.bundle = bundle;
  const lights = [];
  for (const { at, text } of scans) {
    seconds = at;
    lights.push((await door.scan(text, "Checkin")).light);
  }
  return { lights, queue: store.queue };
}

const answers = [];
for (const scans of given.doors) answers.push(await day(scans));
process.stdout.write(JSON.stringify(answers));
