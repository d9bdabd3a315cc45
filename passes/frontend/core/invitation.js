/** The format of invitation codes, to detect a mistyped one: twelve letters and digits, without i, l, o and u. */

const CODE = /^[0-9a-hjkmnp-tv-z]{12}$/;

/** @param {string} typed @returns {string} normalised as on the server: lower case, no spaces or hyphens */
export function tidyInvitation(typed) {
  return typed.replaceAll(/[\s-]/g, "").toLowerCase();
}

/** @param {string} typed @returns {boolean} whether it has the format of a code */
export function isInvitation(typed) {
  return CODE.test(tidyInvitation(typed));
}

/** @param {string} text an invitation's link, or its code @returns {string} the code */
export function invitationIn(text) {
  return tidyInvitation(text.slice(text.indexOf("#") + 1));
}
