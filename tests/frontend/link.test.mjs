/** How a door handles each response: a real server sends it, the door's link reads it. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Unreachable } from "../../passes/frontend/core/api.js";
import { enrol, Revoked, ServerLink } from "../../passes/frontend/door/link.js";

/** @type {(request: any, response: any) => void} */
let answer;
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => answer({ url: request.url, body: parts.length ? JSON.parse(Buffer.concat(parts)) : null }, response));
});
const ownFetch = globalThis.fetch;
before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  globalThis.fetch = (path, options) => ownFetch(new URL(path, base), options);
  globalThis.navigator ??= {};
  Object.defineProperty(globalThis.navigator, "onLine", { value: true, configurable: true });
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const always = (status, body = "{}", headers = {}) => (_request, response) => response.writeHead(status, headers).end(body);

/** A queue like the one in the page's store. */
function queueOf(...ids) {
  const queue = { waiting: ids.map((id) => ({ scan_id: id })), aside: [] };
  const leave = (id) => (queue.waiting = queue.waiting.filter((scan) => scan.scan_id !== id));
  queue.nextQueued = async (most) => queue.waiting.slice(0, most);
  queue.uploaded = async (taken) => taken.forEach(leave);
  queue.setAside = async (scan) => void (queue.aside.push(scan.scan_id), leave(scan.scan_id));
  return queue;
}

const SCAN = { credential: "GO1:X", type: "Checkin" };

test("a refusal of one scan shows it to the staff, and the queue goes on", async () => {
  for (const status of [400, 406, 409, 411, 413, 414, 415, 417, 422, 431]) {
    const link = new ServerLink("token");
    const queue = queueOf("a", "poison", "b", "c");
    answer = ({ url, body }, response) => {
      if (!url.endsWith("/batch")) return always(status)(null, response);
      if (body.scans.some((scan) => scan.scan_id === "poison")) return always(status, "")(null, response);
      return always(200, JSON.stringify({ results: body.scans.map(({ scan_id }) => ({ scan_id, result: "Approved" })) }))(null, response);
    };
    assert.equal(await link.askLive("one", SCAN), null, `${status}`);
    assert.equal(link.quietUntil, 0, `${status} is not "no network"`);
    await link.upload(queue);
    assert.deepEqual([queue.waiting, queue.aside], [[], ["poison"]], `${status}`);
  }
});

test("an answer that is none leaves the queue as it is, and the door decides alone", async () => {
  const portal = "<html>Log in to the Wi-Fi</html>";
  for (const [status, body = "{}", headers = {}] of [[404], [405], [408], [410], [421], [425], [429], [451], [500], [502, portal], [503], [504, ""], [511, portal], [200, portal], [200, ""], [200, "{"], [200, "[]"], [200, '{"results":null}'], [200, '{"result":1}'], [202], [204, ""], [206], [302, "", { Location: "/login" }], [307, "", { Location: "/" }], [304, ""]]) {
    const link = new ServerLink("token");
    const queue = queueOf("a", "b");
    answer = always(status, body, headers);
    assert.equal(await link.askLive("one", SCAN), null, `${status} ${body}`);
    assert.ok(link.quietUntil > performance.now(), `${status} ${body}`);
    await assert.rejects(link.upload(queue), Unreachable, `${status} ${body}`);
    assert.deepEqual([queue.waiting.length, queue.aside], [2, []], `${status} ${body}`);
  }
});

test("answers to scans that nobody sent take nothing from the queue", async () => {
  for (const results of [[], [{ scan_id: "other", result: "Approved" }], [null], ["a"], [{}]]) {
    const queue = queueOf("a", "b");
    answer = always(200, JSON.stringify({ results }));
    await new ServerLink("token").upload(queue).catch((error) => assert.ok(error instanceof Unreachable, String(error)));
    assert.equal(queue.waiting.length, 2, JSON.stringify(results));
  }
});

test("an answer that breaks off in the middle, or comes too slowly, is none", async () => {
  const link = new ServerLink("token");
  answer = (_request, response) => response.writeHead(200, { "Content-Length": "100" }).write('{"result":', () => response.destroy());
  assert.equal(await link.askLive("one", SCAN), null);
  link.quietUntil = 0;
  answer = (_request, response) => void response.writeHead(200).write('{"result":"Approved"');
  assert.equal(await link.askLive("two", SCAN), null);
  assert.ok(link.quietUntil > performance.now());
});

test("the server's wish is obeyed in seconds and as a date, and nothing else is a wish", async () => {
  const inMinutes = new Date(Date.now() + 120_000).toUTCString();
  for (const [wish, least, most] of [["60", 50, 60], [inMinutes, 100, 120], ["86400", 290, 300], ["0", 0, 0], ["-5", 0, 0], ["soon", 0, 0], ["", 0, 0], ["Wed, 21 Oct 2015 07:28:00 GMT", 0, 0]]) {
    for (const status of [408, 425, 429, 503]) {
      const link = new ServerLink("token");
      answer = always(status, "{}", { "Retry-After": wish });
      await link.askLive("one", SCAN);
      const seconds = Math.max(0, (link.retryAt - performance.now()) / 1000);
      assert.ok(least <= seconds && seconds <= most, `${status} ${wish}: ${seconds}`);
    }
  }
});

test("a revoked door learns it from 401 and 403", async () => {
  for (const status of [401, 403]) {
    answer = always(status, "");
    await assert.rejects(new ServerLink("token").askLive("one", SCAN), Revoked);
    await assert.rejects(new ServerLink("token").upload(queueOf("a")), Revoked);
  }
});

test("an enrolment that nobody answers is not a refused code", async () => {
  for (const [status, body] of [[500, ""], [503, "{}"], [408, ""], [429, "{}"], [200, "<html>"], [302, ""], [404, ""]]) {
    answer = always(status, body, status === 302 ? { Location: "/" } : {});
    await assert.rejects(enrol({ code: "a", name: "Door", kind: "Gate" }), Unreachable, `${status}`);
  }
  answer = always(400);
  assert.equal(await enrol({ code: "a", name: "Door", kind: "Gate" }), null);
});
