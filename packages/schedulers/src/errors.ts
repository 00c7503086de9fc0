/** A call that a scheduler cannot answer: a step past the end, missing noise, timesteps out of range. */
export class SchedulerError extends RangeError {
  override name = 'SchedulerError'
}

/** A configuration that no scheduler of this package has: an unknown class, option or value. */
export class ConfigError extends SchedulerError {
  override name = 'ConfigError'
}
