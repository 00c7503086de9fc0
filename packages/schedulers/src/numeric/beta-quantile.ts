// B(0.6, 0.6) = Γ(0.6)² / Γ(1.2)
const shape = 0.6
const betaFunction = 1.4891922488128171 ** 2 / 0.9181687423997607

/**
 * Quantile of the Beta(0.6, 0.6) distribution, absolute error below 1e-12.
 * @param p probability in [0, 1]
 * Source: "Beta Sampling is All You Need", arXiv 2407.12173 (its shape parameters).
 */
export function betaQuantile(p: number): number {
  if (p > 0.5) return 1 - betaQuantile(1 - p)
  let [low, high] = [0, 0.5]
  for (let i = 0; i < 52; i++) {
    const middle = (low + high) / 2
    if (lowerTail(middle) < p) low = middle
    else high = middle
  }
  return p === 0 ? 0 : (low + high) / 2
}

/** I_x(a, a) = xᵃ/B · Σ (1−a)ₙ xⁿ / (n! (a+n)) for x ≤ ½, where each term is less than half the one before. */
function lowerTail(x: number): number {
  let [sum, factor] = [1 / shape, 1]
  for (let n = 1; n <= 60; n++) {
    factor *= ((n - shape) / n) * x
    sum += factor / (shape + n)
  }
  return (x ** shape * sum) / betaFunction
}
