/** On every page: keep the offline copy of the app ready, and show a message if the page's own script fails. */
import { showState } from "../../../passes/frontend/ui/page.js";

if ("serviceWorker" in navigator) {
  // If the registration is refused (private window, blocked storage), only the offline copy is missing.
  navigator.serviceWorker.register("/service-worker.js", { scope: "/", updateViaCache: "none" }).catch(() => undefined);
}

/** @param {unknown} error shows what to do, if the page has a text for it */
function showFailure(error) {
  const state = error instanceof DOMException && error.name === "QuotaExceededError" ? "full" : "broken";
  if (document.querySelector(`[data-state="${state}"]`)) showState(state);
}

// This file is loaded first on every page, so it notices errors of the page's own script, or that it is missing.
addEventListener("unhandledrejection", ({ reason }) => showFailure(reason));
addEventListener(
  "error",
  (/** @type {Event} */ event) => {
    if (event.target instanceof HTMLScriptElement) showFailure(null);
    else if (event instanceof ErrorEvent) showFailure(event.error);
  },
  { capture: true },
);
