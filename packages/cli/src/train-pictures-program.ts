import { type Command, Option } from 'commander'
import { decimal, path, RangedOption } from './option-values.ts'
import { type Adding, examples, freshOption, hint, needs } from './program-parts.ts'
import {
  pictureDefault, pictureRanges as ranges, type PictureSettings, type PictureStage, resolvePictures, stageHas,
} from './train-settings/index.ts'

/** Flags that are not given are missing; those that are settings have a setting's name. */
export type PictureFlags = Partial<Omit<PictureSettings, 'stage' | 'config' | 'samplePrompts'>> & {
  readonly config?: string
  readonly prompt?: readonly string[]
  readonly out?: string
  readonly fresh?: boolean
}

/** Options that are settings: the flags, the setting, and what it is. */
const numbers: readonly (readonly [flags: string, setting: keyof PictureSettings, description: string])[] = [
  ['--side <n>', 'side', 'pixels of the squares that pictures are brought to'],
  ['--steps <n>', 'steps', 'updates'],
  ['--batch <n>', 'batch', 'pictures of a batch'],
  ['--learning-rate <x>', 'learningRate', 'of AdamW, at its highest'],
  ['--warmup <n>', 'warmup', 'updates in which the learning rate rises'],
  ['--kl <x>', 'kl', 'weight of the pull of latents to unit noise'],
  ['--edges <x>', 'edges', 'weight of the error of edges'],
  ['--shift <n>', 'shift', 'pixels by which pictures are moved at random, at most'],
  ['--vocabulary <n>', 'vocabulary', 'tokens that captions are written in, at most'],
  ['--caption-dropout <x>', 'captionDropout', 'share of pictures that are learnt without their caption'],
  ['--ema <decay>', 'ema', 'decay, at most, of an average that is saved and sampled in place of the last weights, none for 0'],
  ['--seed <n>', 'seed', 'where random numbers start'],
  ['--checkpoint-every <n>', 'checkpointEvery', 'updates between saves'],
  ['--sample-every <n>', 'sampleEvery', 'updates between grids of samples, none for 0'],
  ['--sample-steps <n>', 'sampleSteps', 'steps of a sample'],
  ['--scale <x>', 'scale', 'guidance of samples'],
]

const dataHelp = 'folder of captioned pictures: metadata.jsonl with file_name and text, or NAME.png with NAME.txt'

/** Adds the options of training on captioned pictures to a command. */
export function pictureOptions(command: Command, stage: PictureStage): Command {
  command
    .addOption(new RangedOption('-d, --data <dir>', dataHelp, path))
    .addOption(new RangedOption('--split <name>', 'the part of the pictures to learn from', path))
    .addOption(new RangedOption('--balance <field>', 'field of metadata.jsonl whose values are drawn alike often, where pictures are otherwise', path))
    .addOption(new RangedOption('--config <file>', "JSON of configurations' fields by the names of models, in place of the usual ones", path))
  if (stageHas(stage, 'autoencoder')) {
    command.addOption(new RangedOption('--autoencoder <path>', 'a checkpoint with an autoencoder, as `train autoencoder` writes it', path))
  }
  if (stageHas(stage, 'from')) {
    command.addOption(new RangedOption('--from <path>', 'a Stable Diffusion 1.x or 2.x to go on from, in place of an autoencoder and fresh models', path))
  }
  if (stageHas(stage, 'clip')) {
    command.addOption(new RangedOption('--clip <dir>', 'a CLIP whose tokenizer and text tower it begins with, as `train clip` writes it', path))
  }
  for (const [flags, setting, description] of numbers) {
    if (!stageHas(stage, setting)) continue
    const usual = String(pictureDefault(stage, setting))
    command.addOption(new RangedOption(flags, `${description}, ${usual} by default`, decimal(ranges[setting])))
  }
  if (stageHas(stage, 'samplePrompts')) {
    command.addOption(new Option('--prompt <text...>', 'prompts of the samples, captions of the data by default'))
  }
  return command
}

/** Trains on captioned pictures by the flags of a command. */
export async function trainPictures(
  stage: PictureStage, { out, fresh = false, config, prompt, ...changes }: PictureFlags, { commands, start, finish }: Adding,
): Promise<void> {
  const settings = await resolvePictures({ ...changes, stage, ...(prompt ? { samplePrompts: prompt } : {}) }, config)
  finish(await commands.trainPictures({ ...start({ resumes: true }), settings, out: out ?? `runs/${stage}`, resume: !fresh }))
}

type OwnStage = Exclude<PictureStage, 'base'>

const about: Readonly<Record<OwnStage, { readonly summary: string; readonly says: string; readonly more: string }>> = {
  autoencoder: {
    summary: 'train an autoencoder on pictures, in whose latents a model can learn to draw',
    says: 'Trains an autoencoder of Stable Diffusion on a folder of pictures, from nothing. Settings, metrics as JSON lines and ' +
      'as events for TensorBoard, grids of pictures above what becomes of them, and the model go to one folder; the same ' +
      'command goes on with a run that was interrupted.',
    more: 'antipode train autoencoder --data pictures --side 128 --steps 20000 --config models.json',
  },
  clip: {
    summary: 'train a CLIP on captioned pictures, which judges how well a picture fits its prompt',
    says: 'Trains a CLIP on a folder of captioned pictures, from nothing: a tokenizer learnt from the captions, and a tower each ' +
      'for texts and pictures. `--reward clip-score --reward-files RUN/model` judges by it, and `train base --clip` begins ' +
      'with its text tower. Settings, metrics and the model, as transformers lays it out, go to one folder; the same command ' +
      'goes on with a run that was interrupted.',
    more: 'antipode train clip --data pictures --split train --batch 128',
  },
}

/** Adds `train autoencoder` or `train clip`. */
export function addTrainPictures(train: Command, stage: OwnStage, adding: Adding): void {
  const { summary, says, more } = about[stage]
  const command = train.command(stage).summary(summary).description(says)
  pictureOptions(command, stage)
    .addOption(new RangedOption('-o, --out <dir>', `where results go, runs/${stage} by default`, path))
    .addOption(freshOption())
    .addHelpText('after', examples([`antipode train ${stage} --data pictures`, more]))
  hint(command)
  command.action(async (flags: PictureFlags) => {
    needs(command, flags, 'data')
    await trainPictures(stage, flags, adding)
  })
}
