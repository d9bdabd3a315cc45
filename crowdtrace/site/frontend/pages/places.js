/** Search and scouting card: the profile that lies on the device, and the poster's code. The rest works without this. */
import { readPlaceText } from "../../../../passes/frontend/core/places.js";
import { openVisitorStore } from "../../../../passes/frontend/stores/visitor.js";
import { find, onActions, when } from "../../../../passes/frontend/ui/page.js";
import { Scanner } from "../../../../passes/frontend/ui/scanner.js";

/** Parts of the page that speak of a profile. */
const SPOKEN = "[data-card], [data-places]";
const STANDARD = "standard";

/** @param {string} profile brings the same page for another profile, and takes what it says of it */
async function show(profile) {
  const shown = document.querySelector(SPOKEN);
  if (!(shown instanceof HTMLElement) || shown.dataset.profile === profile) return;
  const address = new URL(location.href);
  address.searchParams.set("profile", profile);
  const response = await fetch(address, { credentials: "same-origin" });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector(SPOKEN);
  if (fresh) shown.replaceWith(document.adoptNode(fresh));
}

const scanner = new Scanner("scan-note", async (text) => {
  const path = readPlaceText(text);
  if (path === null) return "nothing";
  scanner.stop();
  location.assign(path);
  return "";
});

onActions({ scan: () => scanner.start(), picture: () => find("[data-picture]").click() });
document.querySelector("[data-picture]")?.addEventListener("change", (event) => void scanner.readPicture(/** @type {HTMLInputElement} */ (event.target).files?.[0]));
when("can-scan", true);

// A private window has no storage: then the addresses of the links do.
const store = await openVisitorStore().catch(() => null);
const person = await store?.current();
if (store && person) {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("[data-profile-choice]") : null;
    if (!(link instanceof HTMLElement)) return;
    event.preventDefault();
    const profile = link.dataset.profileChoice ?? STANDARD;
    void store.saveProfile(person.id, profile);
    void show(profile).then(() => find(`[data-profile-choice="${profile}"]`).focus());
  });
  if (!new URLSearchParams(location.search).has("profile")) await show(await store.profile(person.id)).catch(() => undefined);
}
