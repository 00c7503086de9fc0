import { dpmIntegrals, type DpmCoefficients } from '../../multistep/index.ts'
import type { NoiseLevel } from '../../schedule/index.ts'
import { lambda } from '../../sigmas/index.ts'

/** Which integral a step approximates: of ε ('dpmsolver') or of x₀ ('++'), as an ODE or an SDE. */
export type SinglestepAlgorithm = 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver++'

/** The options that the orders of the calls follow from. */
export interface SinglestepOrderConfig {
  /** 1, 2 or 3: the order of a step, and the calls of the model that it takes. */
  readonly solverOrder: number
  /** Gives the last call a step of first order of its own where whole steps would use it up. */
  readonly lowerOrderFinal: boolean
  /** Whether the last step ends at σ = 0 ('++' only), in first order, or at the table's first σ. */
  readonly finalSigmasType: 'zero' | 'sigma_min'
}

/**
 * The order of the update after each call, [count]: 1, 2, …, n through a step of order n; what does not make a whole
 * step at the end is one of lower order.
 * Source: the authors' LuChengTHU/dpm-solver, get_orders_and_timesteps_for_singlestep_solver.
 */
export function callOrders(config: SinglestepOrderConfig, count: number): number[] {
  const { solverOrder, lowerOrderFinal, finalSigmasType } = config
  const alone = finalSigmasType === 'zero' || (lowerOrderFinal && count % solverOrder === 0)
  return Array.from({ length: count }, (_, call) => (alone && call === count - 1 ? 1 : (call % solverOrder) + 1))
}

/**
 * Coefficients of the update from a step's start to the level after its newest call; of the outputs newest first.
 * @param levels at the end, at the calls before the newest first, and at the step's start last; their number less one
 *   is the order, and no two are equal but the first two
 * Sources: DPM-Solver (arXiv 2206.00927, algorithms 1 and 2), DPM-Solver++ (arXiv 2211.01095, algorithm 1).
 */
export function singlestepCoefficients(
  algorithm: SinglestepAlgorithm,
  solverType: 'midpoint' | 'heun',
  levels: readonly NoiseLevel[],
): DpmCoefficients {
  const [end, start] = [levels[0]!, levels.at(-1)!]
  const { sample, derivatives, noise } = dpmIntegrals(algorithm, end, start)
  const [d0, d1, d2] = derivatives
  // Where the calls lie between the step's start, 0, and its end, 1.
  const h = lambda(end) - lambda(start)
  const [r0 = 0, r1 = 0] = levels.slice(1, -1).map((level) => (lambda(level) - lambda(start)) / h)
  const midpoint = solverType === 'midpoint'
  const outputs = (): number[] => {
    if (levels.length === 2) return [d0]
    if (levels.length === 3) {
      const newest = (midpoint ? d0 / 2 : d1) / r0
      return [newest, d0 - newest]
    }
    // The slope to the newest output alone; its error of second order vanishes where it was called at 2/3 of the step.
    if (midpoint) return [d1 / r0, 0, d0 - d1 / r0]
    // The parabola through all three: m′ = (r0·a − r1·b)/(r0 − r1) and m″ = 2·(b − a)/(r0 − r1) of the slopes to each.
    const newest = (2 * d2 - d1 * r1) / (r0 - r1) / r0
    const middle = (d1 * r0 - 2 * d2) / (r0 - r1) / r1
    return [newest, middle, d0 - newest - middle]
  }
  return { sample, outputs: outputs(), noise }
}
