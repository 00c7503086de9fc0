import { ConfigError } from '@antipode/core'
import { roundHalfEven, type SamplingPlan, type Scheduler } from '@antipode/schedulers'

/**
 * The part of a plan that lies between two shares of the noise, as diffusers' pipelines of Stable Diffusion XL divide
 * the work between base and refiner: calls at timesteps t with `T − end·T ≤ t < T − start·T`.
 * @returns the index of the first call, and of the one after the last
 * @throws {ConfigError} if no call lies there
 */
export function cutOf(
  where: string,
  scheduler: Scheduler,
  { timesteps }: SamplingPlan,
  { start = 0, end = 1 }: { readonly start?: number | undefined; readonly end?: number | undefined },
): { readonly first: number; readonly after: number } {
  const total = scheduler.schedule?.trainSteps ?? 1000
  const level = (share: number): number => roundHalfEven(total - share * total)
  const first = start === 0 ? 0 : timesteps.findIndex((t) => t < level(start))
  const later = end === 1 ? -1 : timesteps.findIndex((t) => t < level(end))
  const after = later === -1 ? timesteps.length : later
  if (first === -1 || first >= after) {
    throw new ConfigError(
      `${where}: expected denoisingStart and denoisingEnd with a step between them, got ${start} and ${end}; ask for more steps`,
    )
  }
  return { first, after }
}
