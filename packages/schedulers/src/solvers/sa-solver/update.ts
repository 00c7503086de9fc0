import { exponentialMoments, multistepWeights } from '../../multistep/index.ts'
import type { NoiseLevel } from '../../schedule/index.ts'
import { lambda } from '../../sigmas/index.ts'

/** x' = sample·x + Σ outputs[k]·m_k + noise·ε. */
export interface SaCoefficients {
  readonly sample: number
  readonly outputs: readonly number[]
  readonly noise: number
}

/**
 * Coefficients of one update over a step, predictor (stochastic Adams–Bashforth) or corrector (Adams–Moulton).
 * @param onData whether x₀ is integrated rather than ε
 * @param tau how stochastic the step is: 0 the ODE, 1 the SDE of the reversed diffusion
 * @param start level at the step's start
 * @param end level at its end
 * @param nodes levels of the outputs, newest first: a corrector's begin with `end`
 * Source: SA-Solver, arXiv 2309.05019, algorithm 1.
 */
export function saCoefficients(
  onData: boolean,
  tau: number,
  start: NoiseLevel,
  end: NoiseLevel,
  nodes: readonly NoiseLevel[],
): SaCoefficients {
  const h = lambda(end) - lambda(start)
  const share = 1 + tau ** 2
  const moments = exponentialMoments(onData ? share * h : -h, nodes.length)
  // The authors' change for few steps: second order on x₀ takes its slope with an even weight, within an error of h³.
  if (onData && nodes.length === 2) moments[1] = 0.5
  const scale = share * h * (onData ? end.signal : -end.noise)
  return {
    sample: onData ? (Math.exp(-(tau ** 2) * h) * end.noise) / start.noise : end.signal / start.signal,
    outputs: multistepWeights(nodes.map((level) => (lambda(level) - lambda(start)) / h), moments).map((w) => scale * w),
    noise: onData ? end.noise * Math.sqrt(-Math.expm1(-2 * tau ** 2 * h)) : tau * end.noise * Math.sqrt(Math.expm1(2 * h)),
  }
}
