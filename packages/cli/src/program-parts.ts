import { type Command, Option } from 'commander'
import type { Commands, Outcome } from './commands.ts'
import { pathOf } from './help-document.ts'
import { RangedOption, wholeNumber } from './option-values.ts'
import type { Progress } from './progress/index.ts'

/** What a program runs with. */
export interface ProgramContext {
  readonly commands: Commands
  /** The version that `--version` prints. */
  readonly version: string
  /** What the user typed after `antipode`. */
  readonly argv: readonly string[]
  /** Where the program's help goes, and where complaints go. */
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** Takes the command whose help is about to be printed. */
  readonly helping: (command: Command) => void
  /** Called as a command starts: how it learns that it is interrupted, and shows that it is at work. */
  readonly start: (options: StartOptions) => { readonly signal: AbortSignal; readonly progress: Progress }
  /** Takes what a command found. */
  readonly finish: (outcome: Outcome) => void
}

/** What a command says of itself as it starts. */
export interface StartOptions {
  /** Whether to show no progress. */
  readonly quiet: boolean
  /** Whether what an interrupted run did is kept for the next one. */
  readonly resumes: boolean
}

/** What commands are added with: a start that knows the program's own flags. */
export type Adding = Pick<ProgramContext, 'commands' | 'version' | 'argv' | 'finish'> & {
  readonly start: (options: Omit<StartOptions, 'quiet'>) => ReturnType<ProgramContext['start']>
}

/** Seeds stay below a million, so that the offsets a recipe adds to them never meet. */
export const seedOption = (): Option => new RangedOption(
  '--seed <n>', 'where random numbers start', wholeNumber(0, 999_000),
).default(0)

/** Whether to begin anew. */
export const freshOption = (): Option => new Option('--fresh', 'ignore what an interrupted run of the same recipe left')

/** After a mistake commander prints one line; this adds where to look. */
export function hint(command: Command): void {
  command.showHelpAfterError(`Run \`${pathOf(command)} --help\` to see what it takes.`)
}

/** Lines behind a command's help. */
export const examples = (lines: readonly string[]): string => [
  '', 'Examples:', ...lines.map((line) => `  $ ${line}`),
].join('\n')

/**
 * Says what a command lacks. Commander would say it before it looks at options that it does not know, and so answer a
 * mistyped name by asking for the right one.
 */
export function needs(command: Command, values: object, ...names: readonly string[]): void {
  for (const option of command.options) {
    const name = option.attributeName()
    if (names.includes(name) && !Object.hasOwn(values, name)) command.error(`error: required option '${option.flags}' not specified`)
  }
}
