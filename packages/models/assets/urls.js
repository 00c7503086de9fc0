// The only place that knows where the assets lie. It is never bundled (`#assets` stays an import of this file), so the
// literal `new URL(…, import.meta.url)` below holds in sources, in dist/ and in bundlers such as Vite that follow it.

/** The 10,000 digits: see digits.LICENSE.md. */
export const digitsUrl = new URL('./digits.bin.gz', import.meta.url)

/** Weights of the judge's classifier: see digits.LICENSE.md. */
export const digitClassifierUrl = new URL('./digit-classifier.bin.gz', import.meta.url)
