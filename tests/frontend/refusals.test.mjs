/** What a door does when the server refuses and then does not respond: a real server responds, its door decides. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { encodeBase45 } from "../../passes/frontend/core/base45.js";
import { derivePass, rotatingText } from "../../passes/frontend/core/book.js";
import { fromBase64Url } from "../../passes/frontend/core/bytes.js";
import { openBundle } from "../../passes/frontend/door/bundle.js";
import { DoorClock } from "../../passes/frontend/door/clock.js";
import { Door } from "../../passes/frontend/door/door.js";
import { ServerLink } from "../../passes/frontend/door/link.js";
import { ReplayBook } from "../../passes/frontend/door/replay.js";
import { hex, readData } from "./vectors.mjs";

const vectors = readData("door_vectors.json");
const bundle = await openBundle(fromBase64Url(vectors.bundles.open), hex(vectors.root_key));
const book = await derivePass(hex(vectors.pass_key), vectors.epoch_start, 0);
const paper = `GO1:${encodeBase45(hex(vectors.pass))}`;
const code = (minutes = 0) => rotatingText(hex(vectors.pass), book, 721 + minutes);

/** The server's responses, in order; the last one is repeated. */
let answers = [];
let asked = 0;
const server = createServer((request, response) => {
  request.resume();
  asked += 1;
  const [status, body, headers = {}] = answers.length > 1 ? answers.shift() : answers[0];
  response.writeHead(status, { "Content-Type": "application/json", Connection: "close", ...headers }).end(body);
});
const ownFetch = globalThis.fetch;
before(async () => {
  AbortSignal.timeout = () => new AbortController().signal; // every response counts here, however busy the machine is
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  globalThis.fetch = (path, options) => ownFetch(new URL(path, base), options); // as on a page, whose URL is known
  globalThis.navigator ??= {};
  Object.defineProperty(globalThis.navigator, "onLine", { value: true, configurable: true });
});
after(() => server.close());
beforeEach(() => (asked = 0));

/** A door at noon. Maps store its rows, as IndexedDB does on the page. */
function openDoor() {
  const queue = [];
  const store = { saveSetting: async () => undefined, remember: async () => undefined, record: async (scan) => void queue.push(scan) };
  const clock = new DoorClock({ wallMs: () => vectors.noon * 1000, timerMs: () => 0 });
  const door = new Door({ store, link: new ServerLink("token"), clock, replay: new ReplayBook(crypto.getRandomValues(new Uint8Array(32))) });
  door.bundle = { ...bundle, goodUntil: vectors.noon + 86_400, serverTime: vectors.noon };
  return { door, queue, scan: async (seconds = 0, minutes = 0, readings = {}) => (await door.scan(code(minutes), "Checkin", readings, vectors.noon + seconds)).light };
}

const NO = [200, '{"result":"Declined"}'];
const YES = [200, '{"result":"Approved"}'];
const TOO_MANY = [429, "{}", { "Retry-After": "20" }];
const OF_ONE_CODE = [429, "{}", { "Retry-After": "20", RateLimit: '"code";r=0;t=20' }];

test("a paper pass that left through another door comes in again where it came in first", async () => {
  const { door, queue } = openDoor();
  door.bundle = { ...door.bundle, requirements: { ...door.bundle.requirements, rotatingRequired: false } };
  const light = async (minutes) => (await door.scan(paper, "Checkin", {}, vectors.noon + minutes * 60)).light;
  const verdicts = [true, false, null, true];
  door.link.askLive = async () => verdicts.shift();
  assert.deepEqual([await light(0), await light(2), await light(3)], ["green", "blue", "blue"], "the server knows no exit, then says nothing");
  assert.equal(await light(4), "green", "the server knows of an exit elsewhere");
  assert.equal(queue.length, 0);
});

test("a code that the server refused stays red when the server wants no more questions", async () => {
  const { scan } = openDoor();
  answers = [NO, TOO_MANY];
  assert.equal(await scan(0), "red");
  assert.equal(await scan(10), "red", "429 is not a yes");
  assert.equal(await scan(70, 1), "red", "nor is the pass's next code");
});

test("a code held up again and again is asked about a few times only", async () => {
  const { scan } = openDoor();
  answers = [NO];
  for (let tenths = 0; tenths < 300; tenths += 5) assert.equal(await scan(Math.floor(tenths / 10)), "red");
  assert.ok(asked < 10, `${asked} questions in 30 s; the server takes 20 a minute`);
});

test("new readings are asked about at once, and a yes lifts the no", async () => {
  const { scan } = openDoor();
  answers = [NO, YES];
  assert.equal(await scan(0), "red");
  assert.equal(await scan(1, 0, { temperatureF: 98 }), "green");
});

test("a door without an answer lets in whom no server refused", async () => {
  const { scan, queue } = openDoor();
  answers = [TOO_MANY];
  assert.equal(await scan(), "green");
  assert.equal(queue.length, 1);
});

test("a code is already in until its pass went out", async () => {
  const { door, scan } = openDoor();
  answers = [YES];
  assert.equal(await scan(), "green");
  assert.equal(await scan(5), "blue");
  assert.equal((await door.scan(code(1), "Checkout", {}, vectors.noon + 60)).light, "green");
  assert.equal(await scan(65), "red", "a photo of the code, after its holder left");
});

test("another network's page is no answer", async () => {
  for (const page of ["<html>Log in to the Wi-Fi</html>", "{}", '{"result":"welcome"}', "null"]) {
    const { scan, queue } = openDoor();
    answers = [[200, page, { "Content-Type": "text/html" }]];
    assert.equal(await scan(), "green", page);
    assert.equal(queue.length, 1);
  }
});

test("a code that the venue's doors held up too often is red, and other passes are asked about", async () => {
  const { door, scan, queue } = openDoor();
  answers = [OF_ONE_CODE, YES];
  assert.equal(await scan(), "red");
  assert.equal(door.link.retryAt, 0);
  assert.equal(await scan(3), "red", "not asked about again at once");
  assert.equal(await scan(65, 1), "green");
  assert.equal(asked, 2);
  assert.equal(queue.length, 0);
});

test("a server or proxy that wants to be left alone for a day is asked again within minutes", async () => {
  const { door, scan } = openDoor();
  answers = [[503, "{}", { "Retry-After": "86400" }]];
  assert.equal(await scan(), "green");
  assert.ok(door.link.retryAt <= performance.now() + 300_000);
  assert.ok(door.link.retryAt > performance.now() + 200_000);
});
