/**
 * The offline copy of the app. The server prepends a line with the version, and the files and pages to cache.
 *
 * Cached pages are loaded from the network and, if it fails or is slow, from the copy. If any other page cannot be loaded,
 * the offline page is shown. URLs of built files contain a hash of their content; the door's large ones are cached when a
 * door requests them. Responses of the API are never cached: passes and secrets are in the page's storage.
 */

const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
/** @type {{version: string, files: string[], later: string[], pages: string[], door: string, fallback: string, language: string}} */
const offline = Reflect.get(self, "OFFLINE");
const CACHE = `crowdtrace-${offline.version}`;
/** Time after which a page is loaded from the copy. */
const PATIENCE_MS = 4000;

/** Replay key of a kiosk, only in memory. @type {Uint8Array | null} */
let replayKey = null;

scope.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll([...offline.files, ...offline.pages]);
      await scope.skipWaiting();
    })(),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const former = (await caches.keys()).filter((name) => name.startsWith("crowdtrace-") && name !== CACHE);
      await Promise.all(former.map((name) => caches.delete(name)));
      await scope.clients.claim();
      if (former.length > 0) void renewCheckIns(); // not awaited: the pages are loaded through this worker once it is active
    })(),
  );
});

/** URL of a check-in on a phone, whose answers are stored; those of a sheet of paper are not. */
const CHECK_IN = /^\/check-in\/[^/]+$/;

/** Reload open check-ins: one of an older version would send requests that the server no longer accepts. */
async function renewCheckIns() {
  const pages = await scope.clients.matchAll({ type: "window" });
  const begun = pages.filter(({ url }) => CHECK_IN.test(new URL(url).pathname));
  await Promise.all(begun.map((page) => page.navigate(page.url).catch(() => null)));
}

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== scope.location.origin) return;
  const address = url.pathname + url.search;
  if (offline.files.includes(address) || offline.later.includes(address)) event.respondWith(fromCopy(request));
  else if (request.mode !== "navigate") return;
  else if (isKeptPage(url.pathname)) event.respondWith(pageOrCopy(request, url.pathname));
  else {
    const page = fetch(request);
    event.respondWith(page.catch(noConnection));
    // Pages of the copy are in the language that was chosen last.
    if (url.pathname === offline.language) event.waitUntil(page.then(renewPages).catch(() => undefined));
  }
});

/** @param {unknown} error of the network @returns {Promise<Response>} the offline page, which says what works without a network */
async function noConnection(error) {
  const words = await (await caches.open(CACHE)).match(offline.fallback);
  if (words) return words;
  throw error;
}

async function renewPages() {
  const cache = await caches.open(CACHE);
  const door = (await cache.match(offline.door)) ? [offline.door] : [];
  await cache.addAll([...offline.pages, ...door].map((path) => new Request(path, { cache: "reload" })));
}

/** @param {string} path @returns {boolean} */
function isKeptPage(path) {
  return offline.pages.includes(path) || path === offline.door || path.startsWith("/check-in/");
}

/** @param {Request} request @returns {Promise<Response>} */
async function fromCopy(request) {
  const cache = await caches.open(CACHE);
  const copy = await cache.match(request);
  if (copy) return copy;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}

/** @param {Request} request @param {string} path @returns {Promise<Response>} */
async function pageOrCopy(request, path) {
  const cache = await caches.open(CACHE);
  const copy = await cache.match(path);
  const fresh = (async () => {
    const response = await fetch(request);
    if (response.ok && !response.redirected) await cache.put(path, response.clone());
    return response;
  })();
  if (!copy) return fresh.catch(noConnection);
  /** @type {Promise<Response>} */
  const late = new Promise((resolve) => setTimeout(() => resolve(copy), PATIENCE_MS));
  return Promise.race([fresh.then((response) => (response.status >= 500 ? copy : response), () => copy), late]);
}

/** Cache the files of pages that were loaded before this worker took control. */
async function keepLater() {
  const cache = await caches.open(CACHE);
  const kept = new Set((await cache.keys()).map(({ url }) => url));
  await cache.addAll([offline.door, ...offline.later].filter((path) => !kept.has(new URL(path, scope.location.origin).href)));
}

scope.addEventListener("message", (event) => {
  const { data, ports } = event;
  if (data?.keep === "files") return event.waitUntil(keepLater().then(() => ports[0]?.postMessage("kept")));
  if (data?.keep === "replay-key") replayKey = data.key;
  else if (data?.ask === "replay-key") ports[0]?.postMessage(replayKey);
});

/** Open the page of a notification when it is pressed. */
scope.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const address = event.notification.data;
  event.waitUntil(
    scope.clients.matchAll({ type: "window", includeUncontrolled: true }).then((open) => {
      const page = open.find(({ url }) => url === address);
      return page ? page.focus() : address && scope.clients.openWindow(address);
    }),
  );
});
