/** Names of errors that JavaScript itself throws: these are bugs, unless the system gave them a code. */
const builtIn = new Set(['Error', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'EvalError', 'URIError', 'AggregateError'])

/** An error as `--json` prints it. */
export interface ErrorDocument {
  readonly error: {
    /** 'USAGE', 'INTERRUPTED', 'INTERNAL', the code of an Antipode error ('SHAPE', …) or of the system ('ENOSPC', …). */
    readonly code: string
    readonly message: string
  }
}

/** Whatever a command threw, for machines. */
export function errorDocument(error: unknown): ErrorDocument {
  return { error: { code: isExpected(error) ? codeOf(error) ?? 'ERROR' : 'INTERNAL', message: messageOf(error) } }
}

/**
 * Whatever a command threw, for people: `error: message` for what Antipode or the system reports, and how to report a bug
 * for anything else. `debug` adds stacks, those of causes too.
 */
export function errorText(error: unknown, { debug }: { readonly debug: boolean }): string {
  const expected = isExpected(error)
  const lines = [expected ? `error: ${messageOf(error)}` : `internal error: ${messageOf(error)}`]
  if (debug) lines.push(...stacks(error))
  else if (!expected) lines.push('This is a bug in Antipode; please report it with the output of the same command and --debug.')
  return `${lines.join('\n')}\n`
}

function isExpected(error: unknown): boolean {
  return codeOf(error) !== undefined || (error instanceof Error && !builtIn.has(error.name))
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function stacks(error: unknown): string[] {
  const lines: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) lines.push(`${at === error ? '' : 'caused by '}${at.stack ?? at.message}`)
  return lines
}
