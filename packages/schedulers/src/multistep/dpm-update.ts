import type { NoiseLevel } from '../schedule/index.ts'
import { lambda } from '../sigmas/index.ts'

/** Which integral a DPM-Solver step approximates: of ε ('dpmsolver') or of x₀ ('++'), as an ODE or an SDE. */
export type DpmAlgorithm = 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver' | 'sde-dpmsolver++'

/** x' = sample·x + Σ outputs[k]·m_k + noise·ε, where m_0 is the newest model output. */
export interface DpmCoefficients {
  readonly sample: number
  readonly outputs: readonly number[]
  readonly noise: number
}

/** What a step takes of the sample, of the outputs' derivatives by λ at its start, and of the noise. */
interface DpmIntegrals {
  readonly sample: number
  /** Of m, h·m′ and h²·m″ in the output's Taylor series. */
  readonly derivatives: readonly [number, number, number]
  readonly noise: number
}

/**
 * The integrals of one step from `start` to `end`.
 *
 * That of h²·m″ is the reference's, also for 'sde-dpmsolver++', where it subtracts the ½ that the integral adds: third
 * order then has an error of first order.
 */
export function dpmIntegrals(algorithm: DpmAlgorithm, end: NoiseLevel, start: NoiseLevel): DpmIntegrals {
  const h = lambda(end) - lambda(start)
  const onData = algorithm.endsWith('++')
  const stochastic = algorithm.startsWith('sde')

  // Both integrals have one form, w·∫ eᶻ…, in z = −h on x₀ (−2h as an SDE) and z = h on ε (twice the weight as an SDE).
  const z = onData ? (stochastic ? -2 * h : -h) : h
  const weight = onData ? end.signal : end.noise * (stochastic ? 2 : 1)
  const half = stochastic ? -0.5 : 0.5
  return {
    sample: onData ? (end.noise / start.noise) * (stochastic ? Math.exp(-h) : 1) : end.signal / start.signal,
    derivatives: [
      -weight * Math.expm1(z),
      weight * (1 - Math.expm1(z) / z),
      weight * (half - (Math.expm1(z) - z) / z ** 2),
    ],
    noise: stochastic ? end.noise * Math.sqrt(onData ? -Math.expm1(-2 * h) : Math.expm1(2 * h)) : 0,
  }
}

/**
 * Coefficients of one multistep update.
 *
 * Third order takes the second divided difference for m″, which is twice that: the authors' code and the reference both
 * do, so its error is smaller than that of second order and falls no faster.
 * @param levels at the step's end, at its start, and at up to two starts before; their number less one is the order
 * Sources: DPM-Solver (arXiv 2206.00927, appendix B), DPM-Solver++ (arXiv 2211.01095, algorithm 2 and section 4).
 */
export function dpmCoefficients(
  algorithm: DpmAlgorithm,
  solverType: 'midpoint' | 'heun',
  levels: readonly NoiseLevel[],
): DpmCoefficients {
  const [end, start] = [levels[0]!, levels[1]!]
  const h = lambda(end) - lambda(start)
  const { sample, derivatives, noise } = dpmIntegrals(algorithm, end, start)
  const [d0, order1, d2] = derivatives
  const d1 = levels.length === 3 && solverType === 'midpoint' ? d0 / 2 : order1
  return { sample, outputs: outputWeights(), noise }

  /** Writes D₀, D₁, D₂ (divided differences of the outputs over λ) out in the outputs themselves. */
  function outputWeights(): number[] {
    if (levels.length === 2) return [d0]
    const r0 = (lambda(start) - lambda(levels[2]!)) / h
    if (levels.length === 3) return [d0 + d1 / r0, -d1 / r0]
    const r1 = (lambda(levels[2]!) - lambda(levels[3]!)) / h
    // D₁ = a + r0·s and D₂ = s, where a = (m0 − m1)/r0, b = (m1 − m2)/r1 and s = (a − b)/(r0 + r1).
    const slope = (d1 * r0 + d2) / (r0 + r1)
    const [a, b] = [(d1 + slope) / r0, -slope / r1]
    return [d0 + a, b - a, -b]
  }
}
