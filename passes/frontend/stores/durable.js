/**
 * Request persistent storage from the browser. Some browsers show a prompt that may never be answered, so nothing waits
 * for it: everything works without.
 */
export function askToKeepStorage() {
  void navigator.storage?.persist?.().catch(() => false);
}
