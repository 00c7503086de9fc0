import { ConfigError, NumericError } from '@antipode/core'
import { type Measured, valuesOf } from './train-step.ts'

/**
 * Holds what a step was measured at to what any run must be, and to its limits.
 * @throws {NumericError} that names the step and the metric
 * @throws {ConfigError} if a limit is on no metric
 */
export function guard(step: number, measured: Measured, limits: Readonly<Record<string, number>>): void {
  const { leftOut = false, lossScale = 1 } = measured
  const values = valuesOf(measured)
  const unknown = Object.keys(limits).find((name) => !(name in values))
  if (unknown !== undefined) {
    throw new ConfigError(`train: expected limits on ${Object.keys(values).join(', ')}, got one on "${unknown}"`)
  }
  for (const [name, value] of Object.entries(values)) {
    // The gradient of a step that is left out has done nothing. That it is infinite even when it is made smaller is
    // not the scale's doing: DeepSpeed gives up at 1 too.
    if (name === 'gradNorm' && leftOut && lossScale >= 1) continue
    const limit = limits[name] ?? Infinity
    if (Number.isFinite(value) && value <= limit) continue
    const wanted = `a finite ${name}${limit < Infinity ? ` of at most ${limit}` : ''}`
    throw new NumericError(
      `train: step ${step}: expected ${wanted}, got ${value}; check its data, lower the learning rate or raise beta`,
      { where: name },
    )
  }
}
