/**
 * Make a library that formats numbers in the browser's language use that of the page. A browser may report an invalid
 * language ("C", by WebKitGTK in the locale C), for which `Intl` throws. Import this before the library.
 */
Object.defineProperty(navigator, "language", { value: document.documentElement.lang || "en", configurable: true });
