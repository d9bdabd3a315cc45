/**
 * The example visitor of a demonstration, only in memory: nothing of it is written to the store of this device, and the
 * store is not read while the example is shown.
 *
 * @typedef {import("../../../../passes/frontend/stores/visitor.js").Person} Person
 * @typedef {Pick<import("../../../../passes/frontend/stores/visitor.js").VisitorStore, "current" | "passes" | "profile" | "saveProfile" | "ownMask" | "saveOwnMask">} ShieldStore
 */
import { fromBase64Url } from "../../../../passes/frontend/core/bytes.js";

/** @param {{secret: string} | null} given by the page @returns {ShieldStore | null} the store that a shield page reads, if it shows the example */
export function exampleStore(given) {
  if (!given) return null;
  /** @type {Person} */
  const person = { id: "example", label: "", secret: fromBase64Url(given.secret), kept: true, registered: true };
  const chosen = { profile: "standard", ownMask: "" };
  return {
    current: async () => person,
    passes: async () => [],
    profile: async () => chosen.profile,
    saveProfile: async (_id, profile) => void (chosen.profile = profile),
    ownMask: async () => chosen.ownMask,
    saveOwnMask: async (_id, mask) => void (chosen.ownMask = mask),
  };
}
