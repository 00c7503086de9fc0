import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { decimal, type Kind, path, RangedOption, word } from './option-values.ts'
import { type Adding, examples, freshOption, hint } from './program-parts.ts'
import {
  defaultSettings as defaults, objectiveNames, preferenceName, type PreferenceSettings, resolveSettings,
  settingRanges as ranges,
} from './train-settings/index.ts'

/** Flags that are not given are missing; those that are settings have a setting's name. */
type Flags = Partial<Omit<PreferenceSettings, 'negated' | 'samplePrompts'>> & {
  readonly prompt?: readonly string[]
  readonly out?: string
  readonly cache?: string
  readonly settings?: string
  readonly fresh?: boolean
}

/** `dpo` trains the preference, `npo` its negation. */
type CommandName = 'dpo' | 'npo'

const about: Readonly<Record<CommandName, { readonly summary: string; readonly says: string }>> = {
  dpo: {
    summary: 'train an adapter of Stable Diffusion towards what people prefer',
    says: 'Trains η, a low-rank adapter that moves a checkpoint of Stable Diffusion 1.x, 2.x or XL towards the preferred ' +
      'picture of each pair, by Diffusion-DPO or another --objective: put it on the positive branch of guidance.',
  },
  npo: {
    summary: 'train an adapter of Stable Diffusion towards what people do not want',
    says: 'Trains δ, a low-rank adapter by the same objective on the opposite preference (Diffusion-NPO): put it on the ' +
      'negative branch of guidance.',
  },
}

const pairsHelp = 'pairs: pairs.jsonl or a folder with it, Parquet as Pick-a-Pic has it, or a folder of NAME.txt, ' +
  'NAME.chosen.png, NAME.rejected.png'

/** Adds `train dpo` or `train npo`. */
export function addTrainPreference(
  train: Command, name: CommandName, { commands, start, finish }: Adding,
): void {
  const { summary, says } = about[name]
  const setting = (flags: string, description: string, range: Kind['range'], otherwise: number): RangedOption =>
    new RangedOption(flags, `${description}, ${otherwise} by default`, decimal(range))
  const command = train.command(name)
    .summary(summary)
    .description(
      `${says} Pairs are encoded once. Settings, metrics as JSON lines and as events for TensorBoard, samples and the ` +
      'adapter go to one folder; the same command goes on with a run that was interrupted, or with more steps.',
    )
    .addOption(new RangedOption('-m, --model <path>', 'folder or file of a checkpoint', path))
    .addOption(new RangedOption('-p, --pairs <path>', pairsHelp, path))
    .addOption(new RangedOption('-o, --out <dir>', `where results go, runs/${name} by default`, path))
    .addOption(new RangedOption(
      '--cache <dir>', 'where encoded pairs are kept, which runs may share; below --out by default', path,
    ))
    .addOption(new RangedOption(
      '--settings <file>', 'settings.json of another run, in which the options given here are changed', path,
    ))
    .addOption(setting('--steps <n>', 'updates', ranges.steps, defaults.steps))
    .addOption(setting('--batch <n>', 'pairs of a batch', ranges.batch, defaults.batch))
    .addOption(setting('--accumulate <n>', 'batches of an update', ranges.accumulate, defaults.accumulate))
    .addOption(setting('--rank <n>', 'rank of the adapter', ranges.rank, defaults.rank))
    .addOption(setting('--learning-rate <x>', 'of AdamW', ranges.learningRate, defaults.learningRate))
    .addOption(setting('--warmup <n>', 'updates in which the learning rate rises', ranges.warmup, defaults.warmup))
    .addOption(new RangedOption(
      '--objective <name>', `what is optimised, ${defaults.objective} by default`, word(...objectiveNames),
    ))
    .addOption(new RangedOption(
      '--beta <x>', "strength of the pull to the base, the objective's own by default", decimal(ranges.beta),
    ))
    .addOption(new RangedOption(
      '--resolution <n>', "pixels of a square's side, the model's own by default", decimal(ranges.resolution),
    ))
    .addOption(setting('--seed <n>', 'where random numbers start', ranges.seed, defaults.seed))
    .addOption(new RangedOption(
      '--dtype <type>', `element type of the models, ${defaults.dtype} by default; the adapter has f32`,
      word('f16', 'f32', 'q8_0'),
    ))
    .addOption(setting(
      '--ema <decay>', 'decay, at most, of an average that is saved and sampled in place of the last weights, none for 0',
      ranges.ema, defaults.ema,
    ))
    .addOption(setting(
      '--stop-pinned <n>', 'updates in a row with an accuracy of 0 or of 1 that end the run, never for 0',
      ranges.stopPinned, defaults.stopPinned,
    ))
    .addOption(new RangedOption(
      '--format <name>', `whose reader the adapter is for, ${defaults.format} by default`,
      word('diffusers', 'peft', 'kohya'),
    ))
    .addOption(new Option('--skip-damaged', 'leave rows out that cannot be read'))
    .addOption(
      setting('--checkpoint-every <n>', 'updates between saves', ranges.checkpointEvery, defaults.checkpointEvery),
    )
    .addOption(
      setting('--sample-every <n>', 'updates between samples, none for 0', ranges.sampleEvery, defaults.sampleEvery),
    )
    .addOption(setting('--sample-steps <n>', 'steps of a sample', ranges.sampleSteps, defaults.sampleSteps))
    .addOption(new Option('--prompt <text...>', 'prompts of the samples, the first of the pairs by default'))
    .addOption(freshOption())
    .addHelpText('after', examples([
      `antipode train ${name} --model sd15 --pairs pairs --steps 2000`,
      `antipode train ${name} --model sdxl --pairs pickapic --batch 1 --accumulate 64 --sample-every 100`,
      `antipode train ${name} --settings runs/${name === 'dpo' ? 'npo' : 'dpo'}/settings.json`,
    ]))
  hint(command)
  command.action(async ({ prompt, settings: file, fresh = false, ...flags }: Flags) => {
    const { out: given, cache: kept, ...changes } = flags
    const settings = await resolveSettings(
      { ...changes, negated: name === 'npo', ...(prompt ? { samplePrompts: prompt } : {}) }, file,
    )
    const out = given ?? `runs/${preferenceName(settings)}`
    const cache = kept ?? join(out, 'encoded')
    finish(await commands.trainPreference({ ...start({ resumes: true }), settings, out, cache, resume: !fresh }))
  })
}
