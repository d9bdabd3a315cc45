/** Codes of invitations, as far as a device can tell a mistyped one: twelve letters and digits, without i, l, o and u. */

const CODE = /^[0-9a-hjkmnp-tv-z]{12}$/;

/** @param {string} typed @returns {string} as the server reads it: small letters, no spaces or hyphens */
export function tidyInvitation(typed) {
  return typed.replaceAll(/[\s-]/g, "").toLowerCase();
}

/** @param {string} typed @returns {boolean} whether a code can look like this */
export function isInvitation(typed) {
  return CODE.test(tidyInvitation(typed));
}

/** @param {string} text an invitation's link that was pasted whole, or its code @returns {string} the code */
export function invitationIn(text) {
  return tidyInvitation(text.slice(text.indexOf("#") + 1));
}
