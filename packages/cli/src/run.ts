import { type Command, CommanderError } from 'commander'
import type { Commands, Outcome } from './commands.ts'
import { errorDocument, errorText } from './error-text.ts'
import { helpDocument } from './help-document.ts'
import { InterruptedError, interruptedCode, onInterrupt, type SignalSource } from './interrupt.ts'
import { type ResultSink, writeResult } from './output.ts'
import { isHelp, makeProgram } from './program.ts'
import { barProgress, type ClosableProgress, lineProgress, silentProgress } from './progress/index.ts'
import { UsageError } from './usage-error.ts'

/** What the command line needs of the process it runs in. */
export interface CliHost {
  readonly commands: Commands
  readonly version: string
  /** Receives results, and with `--json` exactly one JSON document. */
  readonly stdout: ResultSink
  /** Receives progress and complaints. */
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly signals: SignalSource
  /** Ends the process at once. */
  readonly exit: (code: number) => void
  /** A monotonic clock in seconds. */
  readonly now: () => number
}

/** How a command ended: its exit code, and what it prints in either form. */
interface Answer {
  readonly code: number
  readonly text: string
  readonly data: unknown
}

/**
 * Runs `antipode` with these arguments and says how it ended.
 * @returns the exit code: 0 done; 1 failed, or the doctor found nothing usable; 2 wrong usage; 130 interrupted; 141 nobody
 * reads what is printed
 */
export async function run(argv: readonly string[], host: CliHost): Promise<number> {
  const { stdout, stderr } = host
  const json = has(argv, '--json')
  const complain = (text: string): void => { stderr.write(text) }
  let progress: ClosableProgress = silentProgress
  let answered = false
  const print = async ({ code, text, data }: Answer): Promise<number> => {
    answered = true
    return await writeResult(stdout, json ? `${JSON.stringify(data, null, 2)}\n` : text, complain) ?? code
  }
  using interrupt = onInterrupt(host.signals, {
    say: (line) => {
      // The bar would be redrawn over the line.
      progress.close()
      complain(`${line}\n`)
    },
    exit: (code, reason) => {
      // Who asked for a document gets one, unless the one of the end is on its way.
      if (answered || !json) return host.exit(code)
      void print({ code, text: '', data: errorDocument(reason) }).then(host.exit)
    },
  })
  const answer = await answerOf(argv, host, interrupt.signal, (shown) => { progress = shown }, complain)
  progress.close()
  if (answered) return answer.code
  return await print(answer)
}

/** Parses, runs and catches, and prints nothing but complaints. */
async function answerOf(
  argv: readonly string[], { commands, version, stderr, now }: CliHost, signal: AbortSignal,
  showing: (progress: ClosableProgress) => void, complain: (text: string) => void,
): Promise<Answer> {
  let help = ''
  let helped: Command | undefined
  let outcome: Outcome | undefined
  let resumes = false
  let progress: ClosableProgress = silentProgress
  const program = makeProgram({
    commands, version, argv,
    stdout: (text) => { help += text },
    stderr: complain,
    helping: (command) => { helped = command },
    start: (options) => {
      resumes = options.resumes
      progress = options.quiet ? silentProgress : stderr.isTTY ? barProgress(stderr, now) : lineProgress(stderr, now)
      showing(progress)
      return { signal, progress }
    },
    finish: (result) => { outcome = result },
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return outcome ? { code: outcome.exitCode, text: outcome.text, data: outcome.data } : { code: 0, text: '', data: null }
  } catch (error) {
    progress.close()
    if (error instanceof CommanderError) {
      if (isHelp(error)) return { code: 0, text: help, data: helped ? helpDocument(helped) : { version } }
      return { code: 2, text: '', data: { error: { code: 'USAGE', message: usageMessage(error) } } }
    }
    const data = errorDocument(error)
    // Anything else that goes wrong after Ctrl-C is a failure to be told, such as a checkpoint that could not be written.
    if (error instanceof InterruptedError) {
      complain(resumes ? 'interrupted: what was done is kept; the same command goes on from there\n' : 'interrupted\n')
      return { code: interruptedCode, text: '', data }
    }
    complain(errorText(error, { debug: has(argv, '--debug') }))
    return { code: error instanceof UsageError ? 2 : 1, text: '', data }
  }
}

/** Whether a flag of the program is among the arguments: it may stand anywhere, but not behind `--`. */
function has(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes(flag)
}

/** What commander complains of; its help after a command that has none is no complaint in words. */
function usageMessage({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'expected a command, got none that is known; --help lists them' : message.replace(/^error: /, '')
}
