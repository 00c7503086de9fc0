import { join } from 'node:path'
import { type Command } from 'commander'
import { path, RangedOption, word } from './option-values.ts'
import { type Adding, examples, freshOption, hint } from './program-parts.ts'
import { type PictureFlags, pictureOptions, trainPictures } from './train-pictures-program.ts'
import { hyper, stepLimits } from './train-recipe.ts'

/** Names of the models of digits. */
export type DigitsModel = 'digits-16' | 'digits-28'

/** `--model` of commands on digits; the first by default. */
export const modelOption = (): RangedOption =>
  new RangedOption('--model <name>', 'the second is for real GPUs', word(...['digits-16', 'digits-28'] satisfies DigitsModel[]))

type Flags = PictureFlags & { readonly model?: DigitsModel }

/** Options that digits have, beside what they share with pictures. */
const ofDigits: readonly (keyof Flags)[] = ['model', 'out', 'steps', 'seed', 'fresh']

/** Adds `train base`. */
export function addTrainBase(train: Command, adding: Adding): void {
  const command = train.command('base')
    .summary('train a text-to-image model on captioned pictures, or the digits model that the demo starts from')
    .description(
      'With --data and --autoencoder, trains a Stable Diffusion of its own on a folder of captioned pictures: a tokenizer ' +
      'learnt from the captions, a text encoder and a UNet; with --data and --from, goes on from one that there is. Settings, metrics, grids of samples and the model, as diffusers ' +
      'lays it out, go to one folder. Without, trains the class-conditional digits model on real digits degraded at random, ' +
      'and writes its moving average as f16 safetensors, with its recipe, loss curve and hash in a JSON file beside it. The ' +
      'same seed gives the same file on the same adapter and build, and weights within 0.1% of it on others of their class. ' +
      'The same command goes on with a run that was interrupted.',
    )
  pictureOptions(command, 'base')
    .addOption(new RangedOption('-o, --out <path>', 'where results go; of digits a checkpoint, or a directory for MODEL.safetensors', path).default('runs/base'))
    .addOption(modelOption())
    .addOption(freshOption())
    .addHelpText('after', examples([
      'antipode train base --data pictures --autoencoder runs/autoencoder/model',
      'antipode train base --data pictures --from sd15 --side 512 --batch 1 --learning-rate 1e-5',
      'antipode train base', 'antipode train base --model digits-28 --out my-base.safetensors', 'antipode train base --steps 500 --out try',
    ]))
  hint(command)
  command.action(async (flags: Flags) => {
    const { model, ...pictures } = flags
    if (pictures.data === undefined) return await trainDigits(command, flags, adding)
    if (model !== undefined) command.error(`error: expected --model left out with --data, got ${model}`)
    return await trainPictures('base', pictures, adding)
  })
}

async function trainDigits(command: Command, flags: Flags, { commands, start, finish }: Adding): Promise<void> {
  const odd = (Object.keys(flags) as (keyof Flags)[]).find((name) => !ofDigits.includes(name))
  if (odd !== undefined) command.error(`error: expected ${odd} with --data, got it alone; pass --data too, or leave it out`)
  const { model = 'digits-16', out = 'runs/base', steps, seed = 0, fresh = false } = flags
  if (steps !== undefined && !(steps >= stepLimits.low && steps <= stepLimits.high)) {
    command.error(
      `error: expected --steps from ${stepLimits.low} to ${stepLimits.high} on digits, ${hyper.warmup} of them the warm-up, ` +
        `got ${steps}`,
    )
  }
  finish(await commands.trainBase({
    ...start({ resumes: true }),
    out: out.endsWith('.safetensors') ? out : join(out, `${model}.safetensors`),
    ...(steps === undefined ? {} : { steps }),
    seed, model,
    resume: !fresh,
  }))
}
