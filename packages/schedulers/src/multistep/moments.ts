import { solveLinear } from '../numeric/index.ts'

/**
 * φ_j = ∫₀¹ e^{y·(v−1)}·vʲ dv for j = 0 … count − 1: what an exponential integrator makes of each power of the time
 * that has passed in a step.
 * @param y rate of the exponential times the length of the step, not 0
 */
export function exponentialMoments(y: number, count: number): number[] {
  const moments = [-Math.expm1(-y) / y]
  // By parts; a step as short as 1e-3 leaves twelve digits of φ₂, the last that third order needs.
  for (let j = 1; j < count; j++) moments.push((1 - j * moments[j - 1]!) / y)
  return moments
}

/**
 * Weights w with Σ w_k·m_k = Σ_j c_j·φ_j, where Σ_j c_j·vʲ is the polynomial through (node_k, m_k): what a multistep
 * update takes of each model output.
 * @param nodes distinct times of the outputs, 0 at the start of the step and 1 at its end, [n]
 * @param moments φ, [n]
 */
export function multistepWeights(nodes: readonly number[], moments: readonly number[]): number[] {
  return solveLinear(
    moments.map((_, power) => nodes.map((node) => node ** power)),
    moments,
  )
}
