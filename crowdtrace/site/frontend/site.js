/** What every page does: keep the offline copy of the app ready, and say so when the page itself fails. */
import { showState } from "../../../passes/frontend/ui/page.js";

if ("serviceWorker" in navigator) {
  // A refused registration (private window, storage blocked) costs the offline copy and nothing else.
  navigator.serviceWorker.register("/service-worker.js", { scope: "/", updateViaCache: "none" }).catch(() => undefined);
}

/** @param {unknown} error shows what to do, where the page has words for it */
function showFailure(error) {
  const state = error instanceof DOMException && error.name === "QuotaExceededError" ? "full" : "broken";
  if (document.querySelector(`[data-state="${state}"]`)) showState(state);
}

// This file comes first on every page, so it sees what goes wrong in the page's own script, or that there is none.
addEventListener("unhandledrejection", ({ reason }) => showFailure(reason));
addEventListener(
  "error",
  (/** @type {Event} */ event) => {
    if (event.target instanceof HTMLScriptElement) showFailure(null);
    else if (event instanceof ErrorEvent) showFailure(event.error);
  },
  { capture: true },
);
