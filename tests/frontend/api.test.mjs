/** What a page takes for an answer of its site: a real server gives it. */
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
