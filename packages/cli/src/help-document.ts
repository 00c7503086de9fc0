import type { Command, Option } from 'commander'
import { RangedOption } from './option-values.ts'

/** The help of a command as `--json` prints it. */
export interface HelpDocument {
  /** As it is typed: "antipode train base". */
  readonly command: string
  readonly description: string
  /** What it takes; of every command where `everywhere` says so. */
  readonly options: readonly OptionDocument[]
  readonly commands: readonly { readonly name: string; readonly description: string }[]
}

interface OptionDocument {
  readonly flags: string
  readonly description: string
  /** What its value may be, in words, if it takes one. */
  readonly range?: string
  readonly default?: unknown
  readonly everywhere: boolean
}

export function helpDocument(command: Command): HelpDocument {
  const help = command.createHelp()
  const inherited = help.visibleGlobalOptions(command)
  const options = [...help.visibleOptions(command), ...inherited].map((option) => optionDocument(option, inherited.includes(option)))
  return {
    command: pathOf(command),
    description: command.description(),
    options,
    commands: help.visibleCommands(command).map((one) => ({ name: one.name(), description: one.summary() || one.description() })),
  }
}

/** The words that start a command. */
export function pathOf(command: Command): string {
  const names = []
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}

function optionDocument(option: Option, everywhere: boolean): OptionDocument {
  return {
    flags: option.flags,
    description: option.description,
    ...(option instanceof RangedOption ? { range: option.range.expected } : {}),
    ...(option.defaultValue === undefined ? {} : { default: option.defaultValue as unknown }),
    everywhere,
  }
}
