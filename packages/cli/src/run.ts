import { CommanderError } from 'commander'
import type { Commands, Outcome } from './commands.ts'
import { errorDocument, errorText } from './error-text.ts'
import { interruptedCode, onInterrupt, type SignalSource } from './interrupt.ts'
import { isHelp, makeProgram } from './program.ts'
import { barProgress, type ClosableProgress, lineProgress, silentProgress } from './progress/index.ts'

/** What the command line needs of the process it runs in. */
export interface CliHost {
  readonly commands: Commands
  readonly version: string
  /** Receives results, and with `--json` exactly one JSON document. */
  readonly stdout: { write(text: string): unknown }
  /** Receives progress and complaints. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly signals: SignalSource
  /** Ends the process at once. */
  readonly exit: (code: number) => void
  /** A monotonic clock in seconds. */
  readonly now: () => number
}

/**
 * Runs `antipode` with these arguments and says how it ended.
 * @returns the exit code: 0 done; 1 failed, or the doctor found nothing usable; 2 wrong usage; 130 interrupted
 */
export async function run(argv: readonly string[], host: CliHost): Promise<number> {
  const { commands, version, stdout, stderr } = host
  const json = argv.includes('--json')
  const complain = (text: string): void => { stderr.write(text) }
  const answer = (data: unknown): void => { stdout.write(`${JSON.stringify(data, null, 2)}\n`) }
  let progress: ClosableProgress = silentProgress
  let outcome: Outcome | undefined
  using interrupt = onInterrupt(host.signals, {
    say: (line) => {
      // The bar would be redrawn over the line.
      progress.close()
      complain(`${line}\n`)
    },
    exit: (code) => { host.exit(code) },
  })
  const { signal } = interrupt
  const program = makeProgram({
    commands, version, argv, signal,
    stdout: (text) => { stdout.write(text) },
    stderr: complain,
    progress: ({ quiet }) => {
      progress = quiet ? silentProgress : stderr.isTTY ? barProgress(stderr, host.now) : lineProgress(stderr, host.now)
      return progress
    },
    finish: (result) => { outcome = result },
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    progress.close()
    if (!outcome) return 0
    if (json) answer(outcome.data)
    else stdout.write(outcome.text)
    return outcome.exitCode
  } catch (error) {
    progress.close()
    if (error instanceof CommanderError) {
      if (isHelp(error)) return 0
      if (json) answer({ error: { code: 'USAGE', message: error.message } })
      return 2
    }
    if (json) answer(errorDocument(error))
    // Anything else that goes wrong after Ctrl-C is a failure to be told, such as a checkpoint that could not be written.
    if (signal.aborted && error === signal.reason) {
      const resumes = argv[0] === 'demo' || argv[0] === 'train'
      complain(resumes ? 'interrupted: what was done is kept; the same command goes on from there\n' : 'interrupted\n')
      return interruptedCode
    }
    complain(errorText(error, { debug: argv.includes('--debug') }))
    return 1
  }
}
