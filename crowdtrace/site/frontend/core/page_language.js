/**
 * The language in which a library writes numbers, where it takes the browser's: the page's own. A browser may name one
 * that is none ("C", by WebKitGTK in the locale C), at which `Intl` throws. Import this before the library.
 */
Object.defineProperty(navigator, "language", { value: document.documentElement.lang || "en", configurable: true });
