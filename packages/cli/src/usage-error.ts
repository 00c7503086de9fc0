/** What was asked for cannot be done: an option, or what it names, is not as the command needs it. Nothing was started. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'USAGE'
}
