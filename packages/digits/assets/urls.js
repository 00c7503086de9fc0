// The only place that knows where the assets lie. It is never bundled (`#assets` stays an import of this file), so the
// literal `new URL(…, import.meta.url)` below holds in sources, in dist/ and in bundlers such as Vite that follow it.

/** The 10,000 digits: see digits.LICENSE.md. */
export const digitsUrl = new URL('./digits.bin.gz', import.meta.url)

/** Weights of the judge's classifier: see digits.LICENSE.md. */
export const digitClassifierUrl = new URL('./digit-classifier.bin.gz', import.meta.url)

/** Base model that `antipode train base` made; its card, with recipe, curve and hash, lies beside it. */
export const digits16Url = new URL('./digits-16.safetensors', import.meta.url)
export const digits16CardUrl = new URL('./digits-16.safetensors.json', import.meta.url)

/** Adapters that `antipode demo` trained on it: η on preferences, δ on their reversal. */
export const digits16EtaUrl = new URL('./digits-16.eta.safetensors', import.meta.url)
export const digits16DeltaUrl = new URL('./digits-16.delta.safetensors', import.meta.url)
