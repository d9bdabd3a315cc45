/**
 * Asks the browser to keep this site's storage when space runs short. Some browsers show a question that nobody may ever
 * answer, so nothing waits for it: everything works without.
 */
export function askToKeepStorage() {
  void navigator.storage?.persist?.().catch(() => false);
}
