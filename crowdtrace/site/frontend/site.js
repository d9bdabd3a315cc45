/** What every page does: keep the offline copy of the app ready, and tell how fast it was. */
import { reportVitals } from "./vitals.js";

if ("serviceWorker" in navigator) {
  // A refused registration (private window, storage blocked) costs the offline copy and nothing else.
  navigator.serviceWorker.register("/service-worker.js", { scope: "/", updateViaCache: "none" }).catch(() => undefined);
}

reportVitals();
