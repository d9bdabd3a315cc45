/** Which responses a page accepts as its site's: a real server sends them. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { request, Unreachable } from "../../passes/frontend/core/api.js";

let answer = [200, "{}"];
const server = createServer((asked, response) => {
  asked.resume();
  const [status, body, headers = {}] = answer;
  response.writeHead(status, headers).end(body);
});
let base = "";
before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

test("another network's page is no answer, and neither is a half one or a redirect", async () => {
  for (const given of [[200, "<html>Log in</html>"], [201, "<html>"], [200, ""], [200, '{"go":'], [200, "null"], [302, "", { Location: "/" }]]) {
    answer = given;
    await assert.rejects(request("POST", `${base}/api/v1/passes`, { body: {} }), Unreachable, JSON.stringify(given));
  }
});

test("answers without a body, and refusals with a page, are answers", async () => {
  for (const [status, body] of [[202, ""], [204, ""], [400, "<html>"], [403, ""], [404, "<html>"], [503, "busy"]]) {
    answer = [status, body];
    const { status: got, body: read } = await request("GET", base);
    assert.deepEqual([got, read], [status, null]);
  }
  answer = [200, '{"a":1}'];
  assert.deepEqual((await request("GET", base)).body, { a: 1 });
});

test("a wish to wait is read in seconds and as a date, for a day at most", async () => {
  const date = (ms) => new Date(Date.now() + ms).toUTCString();
  for (const [wish, least, most] of [["20", 20, 20], [date(60_000), 50, 60], ["99999999999", 86_400, 86_400], [date(1e12), 86_400, 86_400]]) {
    answer = [503, "", { "Retry-After": wish }];
    const { retryAfterS } = await request("GET", base);
    assert.ok(retryAfterS !== null && least <= retryAfterS && retryAfterS <= most, wish);
  }
  for (const wish of ["0", "-1", "soon", "1e3", date(-60_000)]) {
    answer = [503, "", { "Retry-After": wish }];
    assert.equal((await request("GET", base)).retryAfterS, null, wish);
  }
});
