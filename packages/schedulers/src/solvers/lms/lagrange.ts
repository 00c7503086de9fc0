/**
 * How much each node's value weighs in the integral of the polynomial through all of them: ∫ L_j(τ) dτ over
 * [from, to], where L_j is 1 at node j and 0 at the others. Exact, from the polynomial's coefficients.
 * @param nodes abscissas, all different, [n]
 * @returns weights, [n]; their sum is to − from
 */
export function lagrangeIntegrals(nodes: readonly number[], from: number, to: number): number[] {
  // In u = (τ − from)/(to − from), from 0 to 1: powers of σ itself would cancel where it is large against the step.
  const step = to - from
  const points = nodes.map((node) => (node - from) / step)
  return points.map((own, j) => {
    const basis = points.reduce((polynomial, point, k) => (k === j ? polynomial : times(polynomial, point, own - point)), [1])
    return step * basis.reduce((sum, coefficient, power) => sum + coefficient / (power + 1), 0)
  })
}

/** p(u)·(u − root)/scale, lowest power first. */
function times(polynomial: readonly number[], root: number, scale: number): number[] {
  return [...polynomial, 0].map((coefficient, i) => ((polynomial[i - 1] ?? 0) - root * coefficient) / scale)
}
