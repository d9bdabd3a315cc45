/** Report how fast a page was: three bare numbers and the page's name, without cookies, once, when it is left. */
import { onCLS, onINP, onLCP } from "web-vitals";

/** Start measuring; metrics that the browser does not support are omitted. @param {string} page its name */
function reportVitals(page) {
  /** @type {{ page: string, lcp_ms?: number, inp_ms?: number, cls?: number }} */
  const report = { page };
  let sent = false;
  onLCP(({ value }) => (report.lcp_ms = value), { reportAllChanges: true });
  onINP(({ value }) => (report.inp_ms = value), { reportAllChanges: true });
  onCLS(({ value }) => (report.cls = value), { reportAllChanges: true });
  addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden" || sent || !navigator.onLine || Object.keys(report).length < 2) return;
    sent = true;
    const body = JSON.stringify(report);
    const headers = { "Content-Type": "application/json" };
    // Unlike a beacon, this sends no cookies. A lost report is not retried.
    /** @type {RequestInit} */
    const quiet = { keepalive: true, credentials: "omit", referrerPolicy: "no-referrer" };
    fetch("/api/v1/vitals", { ...quiet, method: "POST", body, headers }).catch(() => undefined);
  });
}

const page = document.body.dataset.page;
if (page) reportVitals(page);
