/** What every page does: keep the offline copy of the app ready. */

if ("serviceWorker" in navigator) {
  // A refused registration (private window, storage blocked) costs the offline copy and nothing else.
  navigator.serviceWorker.register("/service-worker.js", { scope: "/", updateViaCache: "none" }).catch(() => undefined);
}
