import { linspace } from '../numeric/index.ts'
import type { PlanRequest } from '../run/index.ts'
import { checkTimesteps } from '../timesteps/index.ts'

/**
 * A flow's noise levels before any shift, falling, [N]: spaced evenly from pure noise to `lowest`, or the caller's own.
 * @param steps what the model is told at σ = 1
 */
export function flowLevels(solver: string, request: PlanRequest, steps: number, lowest: number): readonly number[] {
  if (request.by === 'count') return linspace(1, lowest, request.count)
  if (request.by === 'sigmas') return request.sigmas
  checkTimesteps(solver, request.timesteps, steps + 1, { whole: false })
  return request.timesteps.map((timestep) => timestep / steps)
}
