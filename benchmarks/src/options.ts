import { parseArgs } from 'node:util'
import { text, whole } from '@antipode/core/options'

/** What a run of the benchmarks was asked for. */
export interface Options {
  /** Ids of workloads, or what several begin with; all if empty. */
  readonly workloads: readonly string[]
  /** Turns of each library, in {@link roundsRange}. */
  readonly rounds: number
  /** Libraries to run; all that are installed if empty. */
  readonly only: readonly string[]
  /** Whether each library also starts with no compiled shaders. */
  readonly cold: boolean
  /** Whether the libraries of a workload get ready side by side, so that nobody's first result can be timed. */
  readonly quick: boolean
  /** Folder that the results are written to; nothing is written without one. */
  readonly out: string | undefined
}

/** Files that a run writes. */
export const resultFiles = { json: 'results.json', markdown: 'RESULTS.md', page: 'results.html' } as const

/** Fewer rounds have no spread. */
const roundsRange = whole(3, 1000)

/** What the command line asks for. */
export type Asked = { readonly help: true } | { readonly list: true } | { readonly run: Options }

/** How `npm run bench` is used. */
export const usage = `npm run bench -- [workload …] [--rounds N] [--only library,library] [--no-cold] [--quick] [--out DIR]

  workload      an id of RESULTS.md, or what several begin with: matmul, conv3x3-64x64x64, attention
  --rounds N    turns of each library, ${roundsRange.expected} (5)
  --only        some of the libraries; the first is the one that the others are compared with
  --no-cold     leaves out the first start of each library with no compiled shaders
  --quick       starts, checks and warms up the libraries of a workload side by side, and leaves out the times of first
                results: for a GPU in a machine with a few cores to spare; rounds stay one library at a time
  --out DIR     writes RESULTS.md, results.json and results.html there
  --list        names the workloads and libraries
  --help        says this

Everything, with no option that leaves something out, is written beside this package's README.`

/**
 * Reads the command line. A run of everything is written to `home`.
 * @throws {TypeError} if it cannot be understood
 */
export function parseOptions(args: readonly string[], { home, libraries }: { readonly home: string; readonly libraries: readonly string[] }): Asked {
  const { values, positionals } = parseArgs({
    args: [...args], allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' }, only: { type: 'string' }, out: { type: 'string' },
      'no-cold': { type: 'boolean', default: false }, quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return { help: true }
  const refuse = (option: string, expected: string, got: string): never => {
    throw new TypeError(`benchmarks: expected --${option} to be ${expected}, got ${got === '' ? 'nothing' : got}`)
  }
  const rounds = /^\d+$/.test(values.rounds) ? Number(values.rounds) : Number.NaN
  if (!roundsRange.accepts(rounds)) refuse('rounds', roundsRange.expected, values.rounds)
  const only = values.only?.split(',') ?? []
  for (const name of only) if (!libraries.includes(name)) refuse('only', `among ${libraries.join(', ')}`, name)
  if (values.out !== undefined && !text.accepts(values.out)) refuse('out', 'a folder', values.out)
  if (values.list) return { list: true }
  const cold = !values['no-cold'] && !values.quick
  const everything = positionals.length === 0 && only.length === 0 && cold
  return { run: { workloads: positionals, rounds, only, cold, quick: values.quick, out: values.out ?? (everything ? home : undefined) } }
}
