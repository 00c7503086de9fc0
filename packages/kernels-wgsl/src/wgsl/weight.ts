/** A score at or below this counts as switched off, as −∞ does; finite, because WGSL need not support infinities. */
export const lowest = -1e38
