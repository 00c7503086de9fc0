import { atLeast, between, whole } from '@antipode/core/options'
import type { PipelineType } from '@antipode/pipelines'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { predictionOption, tokenizerOption } from './convert-program.ts'
import type { AdapterChoice, GenerateCommandOptions, WordChoice } from './generate/index.ts'
import { guiderChoice } from './guider-choice.ts'
import { decimal, memorySize, path, RangedOption, wholeNumber, word } from './option-values.ts'
import { type Adding, examples, hint, needs } from './program-parts.ts'

/** What the command fills in itself, or has under another name than its flag. */
type Filled = 'prompts' | 'adapters' | 'negativeAdapters' | 'textualInversions' | 'imagePrompt' | 'progress' | 'signal'

/** Flags that are not given are missing. */
interface Flags extends Omit<GenerateCommandOptions, Filled> {
  readonly prompt: readonly string[]
  readonly adapter?: readonly AdapterChoice[]
  readonly negativeAdapter?: readonly AdapterChoice[]
  readonly textualInversion?: readonly WordChoice[]
  readonly imagePrompt?: readonly AdapterChoice[]
}

/** All of them, as keys, which the compiler counts: loading the pipelines for their names would delay every command. */
const elementTypes = Object.keys({ f32: 0, f16: 0, bf16: 0, q8_0: 0, q4_0: 0 } satisfies Record<PipelineType, 0>)

/** Adds `generate`. */
export function addGenerate(program: Command, { commands, start, finish }: Adding): void {
  const command = program
    .command('generate')
    .summary('draw images from prompts with a checkpoint of Stable Diffusion')
    .description(
      'Draws images with a checkpoint of Stable Diffusion 1.x, 2.x or XL, a folder or one file, here or on the network, and writes them as PNG files that say what they ' +
        'were drawn by. An adapter that was trained on what people do not want goes to the negative branch of guidance alone.',
    )
    .addOption(new RangedOption('-m, --model <path>', 'folder, file or address of a checkpoint: PATH, hf:owner/name or https://…', path))
    .addOption(new RangedOption('--variant <name>', 'which weights of a folder, such as fp16', path))
    .addOption(tokenizerOption())
    .addOption(predictionOption())
    .addOption(
      new RangedOption(
        '--dtype <type>',
        'element type of the models, f16 where the adapter has it by default; q8_0 and q4_0 keep weights in blocks, in less memory',
        word(...elementTypes),
      ),
    )
    .addOption(
      new RangedOption('--budget <size>', 'memory of the GPU that may be taken at once; how it is kept is told', memorySize),
    )
    .addOption(new Option('-p, --prompt <text...>', 'what to draw, one image or more for each'))
    .addOption(new Option('-n, --negative-prompt <text>', 'what to move away from'))
    .addOption(new RangedOption('--prompt-syntax <name>', 'plain as diffusers reads prompts, or weighted: (red:1.3), and as long as they are', word('plain', 'weighted')))
    .addOption(adapterOption('-a, --adapter <file[@weight]>', 'a LoRA for both branches; may be given more than once'))
    .addOption(
      adapterOption(
        '--negative-adapter <file[@weight]>',
        'a LoRA for the negative branch alone, such as `train npo` makes; may be given more than once',
      ),
    )
    .addOption(wordOption())
    .addOption(
      new RangedOption('-c, --count <n>', 'images of each prompt, with seeds in turn', wholeNumber(1, 10_000)).default(
        1,
      ),
    )
    .addOption(
      new RangedOption('--seed <n>', 'seed of the first image of each prompt', wholeNumber(0, 2 ** 32 - 1)).default(0),
    )
    .addOption(new RangedOption('-s, --steps <n>', 'steps of the solver', wholeNumber(1, 1000)).default(25))
    .addOption(
      new RangedOption(
        '-g, --guidance <x>',
        'scale of guidance, 7.5 or that of the model by default',
        decimal(atLeast(1)),
      ),
    )
    .addOption(
      new RangedOption('--rescale <x>', 'how far guidance keeps the deviation of the prompt', decimal(between(0, 1))),
    )
    .addOption(new RangedOption('--guider <name[,name:scale]>', 'another guidance than cfg, and a third branch to move away from', guiderChoice))
    .addOption(
      new Option('--scheduler <name>', "another solver than the checkpoint's, such as dpmSolverMultistep or euler"),
    )
    .addOption(new RangedOption('--width <n>', 'pixels, those of the model by default', decimal(whole(8))))
    .addOption(new RangedOption('--height <n>', 'pixels, those of the model by default', decimal(whole(8))))
    .addOption(
      new RangedOption('--clip-skip <n>', 'layers of the text encoder to leave out at its end', wholeNumber(0, 100)),
    )
    .addOption(new RangedOption('-i, --image <file>', 'image to start from', path))
    .addOption(new RangedOption('--mask <file>', 'where to repaint the image, where it is light', path))
    .addOption(
      new RangedOption('--mask-padding <n>', 'draw only what the mask covers and so many pixels around it, in full size', wholeNumber(0, 10_000)),
    )
    .addOption(
      new RangedOption('--strength <x>', 'share of the steps that the image goes through', decimal(between(0, 1))),
    )
    .addOption(new RangedOption('--ip-adapter <file>', 'an IP-Adapter, which takes an image as a prompt', path))
    .addOption(new RangedOption('--image-encoder <dir>', 'folder of the vision tower that it was trained with', path))
    .addOption(adapterOption('--image-prompt <file[@scale]>', 'the image that it looks at'))
    .addOption(new Option('--preview', 'show what each step comes to in preview.png, a pixel for a latent'))
    .addOption(new RangedOption('--preview-decoder <path>', 'show it in full size, by a tiny autoencoder such as TAESD', path))
    .addOption(new RangedOption('-o, --out <dir>', 'where to write the images', path).default('runs/images'))
    .addHelpText(
      'after',
      examples([
        'antipode generate --model sd15 --prompt "an astronaut on a horse"',
        'antipode generate --model sd15 --prompt "a castle" --adapter dpo.safetensors --negative-adapter npo.safetensors',
        'antipode generate --model sd15 --prompt "a castle" --guidance 4 --guider apg,pag:3',
        'antipode generate --model sdxl.safetensors --tokenizer clip --prompt "a cat" "a dog" --count 4 --out pets --json',
      ]),
    )
  hint(command)
  command.action(async (given: Flags) => {
    needs(command, given, 'model', 'prompt')
    const { prompt, adapter = [], negativeAdapter = [], textualInversion = [], imagePrompt, ...flags } = given
    if (imagePrompt ?? flags.ipAdapter ?? flags.imageEncoder) needs(command, given, 'ipAdapter', 'imageEncoder', 'imagePrompt')
    finish(
      await commands.generate({
        ...start({ resumes: false }),
        ...flags,
        prompts: prompt,
        adapters: adapter,
        negativeAdapters: negativeAdapter,
        textualInversions: textualInversion,
        ...(imagePrompt?.[0] ? { imagePrompt: imagePrompt[0] } : {}),
      }),
    )
  })
}

/** Adds `inspect`. */
export function addInspect(program: Command, { commands, start, finish }: Adding): void {
  const command = program
    .command('inspect')
    .summary('say what a checkpoint or an adapter is')
    .description(
      'Says what a folder or file of weights is, what it holds and what would load it, by the names and shapes of its tensors. ' +
        'Weights are not read, and nothing in the file is run.',
    )
    .argument('<path>', 'folder or file')
    .addHelpText('after', examples(['antipode inspect v1-5-pruned.safetensors', 'antipode inspect lora.safetensors --json']))
  hint(command)
  command.action(async (path: string) => {
    const { signal } = start({ resumes: false })
    finish(await commands.inspect({ path, signal }))
  })
}

/** An adapter's file, and how strong it is: 1 unless a number follows an @. */
function adapterOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text, before: readonly AdapterChoice[] = []) => {
    const [, file = text, weight = '1'] = /^(.+)@([^@/\\]+)$/.exec(text) ?? []
    const number = Number(weight)
    if (!Number.isFinite(number) || file.trim() === '')
      throw new InvalidArgumentError('Expected the path of a file, and after it @ and a number if it is not to be 1.')
    return [...before, { file, weight: number }]
  })
}

/** A file of textual inversion, and before it the word that it is to be. */
function wordOption(): Option {
  const flags = '--textual-inversion <[word=]file>'
  const description = 'a word learned by textual inversion, called as its file says or is named; may be given more than once'
  return new Option(flags, description).argParser((text, before: readonly WordChoice[] = []) => {
    const [, token, file = text] = /^([^=/\\]+)=(.+)$/.exec(text) ?? []
    if (file.trim() === '') throw new InvalidArgumentError('Expected the path of a file, or a word, = and the path.')
    return [...before, { file, ...(token === undefined ? {} : { token }) }]
  })
}
