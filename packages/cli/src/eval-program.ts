import { atLeast } from '@antipode/core/options'
import type { Command } from 'commander'
import type { EvalRunOptions } from './eval/index.ts'
import { decimal, type Kind, path, RangedOption } from './option-values.ts'
import { type Adding, examples, hint } from './program-parts.ts'
import { UsageError } from './usage-error.ts'

interface RunFlags extends Pick<EvalRunOptions, 'out' | 'shard' | 'redis' | 'queue'> {}

interface WorkFlags {
  readonly redis: string
  readonly queue?: string
  readonly idle?: number
}

const shard: Kind = {
  range: {
    expected: 'i/n, from 1/n to n/n',
    accepts: (v) => typeof v === 'object' && v !== null && 'index' in v && 'of' in v && Number(v.index) >= 0 && Number(v.index) < Number(v.of),
  },
  read: (text) => {
    const [, index, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []
    return index === undefined || of === undefined ? text : { index: Number(index) - 1, of: Number(of) }
  },
}

const redis = (): RangedOption => new RangedOption('--redis <url>', 'a Redis-compatible server, such as redis://host:6379', path)
const queue = (): RangedOption => new RangedOption('--queue <name>', 'name of the queue, antipode by default', path)
const out = (): RangedOption => new RangedOption('-o, --out <dir>', 'where results and the report go', path).default('runs/eval')

/** Adds `eval run`, `eval work` and `eval merge`. */
export function addEval(program: Command, { commands, start, finish, version }: Adding): void {
  const command = program.command('eval')
    .summary('compare mixtures of adapters on either branch of guidance')
    .description(
      'Samples arms at several guidance scales from the same prompts and noises, scores them, and compares them in pairs: ' +
      'at equal scales, and each arm at its own best scale, chosen on other noises. A file of settings says what, see the ' +
      'guide on evaluation. Jobs whose results are there are not done again.',
    )
    .addHelpText('after', examples([
      'antipode eval run study.json', 'antipode eval run study.json --shard 3/8 --out share3',
      'antipode eval merge study.json share1 share2 share3', 'antipode eval run study.json --redis redis://host:6379',
      'antipode eval work study.json --redis redis://host:6379 --idle 60',
    ]))
  hint(command)

  const run = command.command('run')
    .summary('sample, score and report; or do a share; or let the workers of a queue do it')
    .argument('<study>', 'file of settings')
    .addOption(out())
    .addOption(new RangedOption('--shard <i/n>', 'only the i-th of n shares of the jobs, without a report', shard))
    .addOption(redis())
    .addOption(queue())
  hint(run)
  run.action(async (study: string, flags: RunFlags) => {
    if (flags.shard && flags.redis !== undefined) throw new UsageError('eval run: expected --shard or --redis, got both; a queue shares jobs out by itself')
    if (flags.queue !== undefined && flags.redis === undefined) throw new UsageError('eval run: expected --redis with --queue, got none; say where the queue is')
    finish(await commands.evalRun({ ...start({ resumes: true }), ...flags, study, version }))
  })

  const work = command.command('work')
    .summary('do jobs of a queue')
    .argument('<study>', 'file of settings, the same as of `eval run`')
    .addOption(redis().makeOptionMandatory())
    .addOption(queue())
    .addOption(new RangedOption('--idle <seconds>', 'end after so long without a job; only when interrupted by default', decimal(atLeast(0))))
  hint(work)
  work.action(async (study: string, flags: WorkFlags) => {
    finish(await commands.evalWork({ ...start({ resumes: true }), ...flags, study, version }))
  })

  const merge = command.command('merge')
    .summary('report what shares have found')
    .argument('<study>', 'file of settings')
    .argument('<from...>', 'folders of the shares')
    .addOption(out())
  hint(merge)
  merge.action(async (study: string, from: readonly string[], flags: { readonly out: string }) => {
    finish(await commands.evalMerge({ ...start({ resumes: false }), ...flags, study, from, version }))
  })
}
