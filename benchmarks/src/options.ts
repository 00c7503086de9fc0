import { parseArgs } from 'node:util'

/** What a run of the benchmarks was asked for. */
export interface Options {
  /** Ids of workloads, or what several begin with; all if empty. */
  readonly workloads: readonly string[]
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

/** How `npm run bench` is used. */
export const usage = `npm run bench -- [workload …] [--rounds N] [--only library,library] [--no-cold] [--quick] [--out DIR]

  workload      an id of RESULTS.md, or what several begin with: matmul, conv3x3-64x64x64, attention
  --rounds N    turns of each library, 3 or more (5)
  --only        some of the libraries; the first is the one that the others are compared with
  --no-cold     leaves out the first start of each library with no compiled shaders
  --quick       starts, checks and warms up the libraries of a workload side by side, and leaves out the times of first
                results: for a GPU in a machine with a few cores to spare; rounds stay one library at a time
  --out DIR     writes RESULTS.md, results.json and results.html there
  --list        names the workloads and libraries

Everything, with no option that leaves something out, is written beside this package's README.`

/**
 * Reads the command line. A run of everything is written to `home`.
 * @throws {TypeError} if it cannot be understood
 */
export function parseOptions(args: readonly string[], home: string): Options {
  const { values, positionals } = parseArgs({
    args: [...args], allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' }, only: { type: 'string', default: '' }, out: { type: 'string' },
      'no-cold': { type: 'boolean', default: false }, quick: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 3) throw new TypeError(`benchmarks: expected 3 rounds or more, got ${values.rounds}; fewer have no spread`)
  const only = values.only.split(',').filter((name) => name !== '')
  const cold = !values['no-cold'] && !values.quick
  const whole = positionals.length === 0 && only.length === 0 && cold
  return { workloads: positionals, rounds, only, cold, quick: values.quick, out: values.out ?? (whole ? home : undefined) }
}
