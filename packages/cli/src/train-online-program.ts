import { readFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { decimal, path, RangedOption, word } from './option-values.ts'
import { type Adding, examples, freshOption, hint, needs } from './program-parts.ts'
import { rewardChoices, type RewardChoice } from './reward-choice.ts'
import {
  digitsModel, hasSetting, onlineDefault, type OnlineMethod, onlineName, onlineRanges as ranges, type OnlineSettings,
  resolveOnline,
} from './train-settings/index.ts'
import { UsageError } from './usage-error.ts'

/** Flags that are not given are missing; those that are settings have a setting's name. */
type Flags = Partial<Omit<OnlineSettings, 'method' | 'reward' | 'prompts'>> & {
  readonly model: string
  readonly reward?: RewardChoice['reward']
  readonly rewardFiles?: string
  readonly rewardTokenizer?: string
  readonly rewardClip?: string
  readonly prompt?: readonly string[]
  readonly prompts?: string
  readonly out?: string
  readonly fresh?: boolean
}

const about: Readonly<Record<OnlineMethod, string>> = {
  ddpo: 'by policy gradients of a reward on the steps that it took (DDPO)',
  spo: 'by preferences among steps that branch from one sample (SPO)',
  draft: 'by the gradient of a reward through the last steps of sampling (DRaFT-K)',
  'draft-lv': 'by the gradient of a reward through one step, over several noises (DRaFT-LV)',
  alignprop: 'by the gradient of a reward through a random number of last steps (AlignProp)',
  refl: 'by the gradient of a reward of one estimate among the last ten steps (ReFL)',
  'self-npo': 'towards the estimates of its own average, which makes a negative model without preferences (Self-NPO)',
}

/** Options that are settings: the flags, the setting, and what it is. */
const numbers: readonly (readonly [flags: string, setting: keyof OnlineSettings, description: string])[] = [
  ['--steps <n>', 'steps', 'updates'],
  ['--batch <n>', 'batch', 'samples of a batch'],
  ['--rank <n>', 'rank', 'rank of the adapter'],
  ['--learning-rate <x>', 'learningRate', 'of AdamW'],
  ['--warmup <n>', 'warmup', 'updates in which the learning rate rises'],
  ['--run-steps <n>', 'runSteps', 'calls of the sampler in a run'],
  ['--scale <x>', 'scale', 'of guidance while sampling and learning, none at 1'],
  ['--graded <n>', 'graded', 'last calls that are differentiated'],
  ['--draws <n>', 'draws', 'how often a sample is noised again'],
  ['--per-prompt <n>', 'perPrompt', 'samples of a prompt, whose rewards are compared'],
  ['--passes <n>', 'passes', 'how often a round is learnt from'],
  ['--beta <x>', 'beta', 'strength of the preference'],
  ['--omega <x>', 'omega', 'by how much the teacher moves away from its estimate without a condition'],
  ['--teacher-decay <x>', 'teacherDecay', 'what the average that teaches keeps of itself'],
  ['--ema <decay>', 'ema', 'decay, at most, of an average that is saved and sampled in place of the last weights, none for 0'],
  ['--stop-reward <n>', 'stopReward', 'updates in a row with a reward below its beginning that end the run, never for 0'],
  ['--seed <n>', 'seed', 'where random numbers start'],
  ['--checkpoint-every <n>', 'checkpointEvery', 'updates between saves'],
  ['--sample-every <n>', 'sampleEvery', 'updates between grids of samples, none for 0'],
]

/** Adds `train` with a method that learns from its own samples; it has the options of that method alone. */
export function addTrainOnline(train: Command, method: OnlineMethod, { commands, start, finish }: Adding): void {
  const judged = hasSetting(method, 'reward')
  const command = train.command(method)
    .summary(`train an adapter on its own samples ${about[method]}`)
    .description(
      `Trains an adapter of a checkpoint of Stable Diffusion, or of the digits model, ${about[method]}. Settings, metrics as ` +
      'JSON lines and as events for TensorBoard, samples and the adapter go to one folder; the same command goes on with a ' +
      'run that was interrupted, or with more steps. On digits the defaults are those of minutes, and the reward is ' +
      'nearness to clean digits.',
    )
    .addOption(new RangedOption('-m, --model <path>', `folder or file of a checkpoint, or ${digitsModel}`, path))
  if (judged) {
    command
      .addOption(new Option('--negated', 'train the opposite: a model of what is to be avoided'))
      .addOption(new RangedOption('--reward <name>', 'what judges pictures', word(...rewardChoices)))
      .addOption(new RangedOption('--reward-files <dir>', 'folder of its published files', path))
      .addOption(new RangedOption('--reward-tokenizer <dir>', 'folder of its tokenizer, if that is another', path))
      .addOption(new RangedOption('--reward-clip <dir>', 'folder of the CLIP of aesthetic, if that is another', path))
  }
  command
    .addOption(new Option('--prompt <text...>', 'prompts to sample').conflicts('prompts'))
    .addOption(new RangedOption('--prompts <file>', 'a file with a prompt a line', path))
    .addOption(new RangedOption('-o, --out <dir>', `where results go, runs/${method} by default`, path))
  for (const [flags, setting, description] of numbers) {
    if (!hasSetting(method, setting)) continue
    command.addOption(new RangedOption(
      flags, `${description}, ${String(onlineDefault(method, setting))} by default`, decimal(ranges[setting]),
    ))
  }
  command
    .addOption(new RangedOption('--resolution <n>', "pixels of a square's side, the model's own by default", decimal(ranges.resolution)))
    .addOption(new RangedOption('--dtype <type>', 'element type of the models, f16 by default; the adapter has f32', word('f16', 'f32')))
    .addOption(new RangedOption('--format <name>', 'whose reader the adapter is for, diffusers by default', word('diffusers', 'peft', 'kohya')))
    .addOption(freshOption())
    .addHelpText('after', examples([
      `antipode train ${method} --model ${digitsModel} --steps 100`,
      `antipode train ${method} --model sd15 --prompts prompts.txt${judged ? ' --reward pick-score --reward-files PickScore_v1' : ''}`,
    ]))
  hint(command)
  command.action(async (flags: Flags) => {
    needs(command, flags, 'model')
    const { out, fresh = false, reward, rewardFiles: files, rewardTokenizer: tokenizer, rewardClip: clip, prompt, prompts: file, ...changes } = flags
    const prompts = file === undefined ? prompt : await linesOf(method, file)
    const places = Object.fromEntries(Object.entries({ files, tokenizer, clip }).filter(([, place]) => place !== undefined))
    if (reward === undefined && Object.keys(places).length > 0) {
      throw new UsageError(`train ${method}: expected --reward with the files of one, got files alone; pass --reward`)
    }
    const settings = resolveOnline({
      ...changes, method, ...(prompts ? { prompts } : {}), ...(reward === undefined ? {} : { reward: { reward, ...places } }),
    })
    finish(await commands.trainOnline({
      ...start({ resumes: true }), settings, out: out ?? `runs/${onlineName(settings)}`, resume: !fresh,
    }))
  })
}

/** Lines of a file that say something. */
async function linesOf(method: OnlineMethod, file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError(`train ${method}: expected --prompts to be a file of prompts, got ${cause.code} at ${file}`, { cause })
  })
  return text.split(/\r?\n/).filter((line) => line.trim() !== '')
}
