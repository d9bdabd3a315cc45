/** Downloads of files that the page creates on the device. */

/** @param {string} name @param {BlobPart} content @param {string} type media type */
export function saveFile(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  link.click();
  // The browser has started reading by then; a URL that is not revoked would keep the content in memory.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** @param {string} name @param {unknown} value */
export function saveJson(name, value) {
  saveFile(name, JSON.stringify(value, null, 2), "application/json");
}
