/** A source of random numbers; `rng(seed)` of `@antipode/core` is one. */
export interface Generator {
  /** In [0, 1). */
  uniform(): number
  /** Standard normal. */
  normal(): number
}
