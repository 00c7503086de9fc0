import { type Command, Option } from 'commander'
import type { ConvertCommandOptions } from './convert/index.ts'
import { path, RangedOption, word } from './option-values.ts'
import { type Adding, examples, hint } from './program-parts.ts'

/** Flags that are not given are missing. */
type Flags = Omit<ConvertCommandOptions, 'source' | 'target' | 'progress' | 'signal'> & { readonly force?: boolean }

/** Where the tokenizers of a checkpoint in one file are. */
export const tokenizerOption = (): Option => new RangedOption(
  '--tokenizer <dir>', 'folder with vocab.json and merges.txt, which a checkpoint in one file does not hold', path,
)

/** What a checkpoint in one file was trained to predict. */
export const predictionOption = (): Option => new RangedOption(
  '--prediction-type <name>', 'what the UNet of a checkpoint in one file predicts, which that of Stable Diffusion 2 does not tell',
  word('epsilon', 'v_prediction'),
)

/** Adds `convert`. */
export function addConvert(program: Command, { commands, start, finish }: Adding): void {
  const command = program
    .command('convert')
    .summary('write a checkpoint or an adapter in another layout, format or element type')
    .description(
      'Writes a checkpoint as one file, if TARGET ends in .safetensors, or else as a folder of diffusers; an adapter in the ' +
      'format of other programs, with --format. Reads safetensors, .ckpt, .pt, .bin and GGUF, a tensor at a time, and needs no GPU.',
    )
    .argument('<source>', 'folder or file')
    .argument('<target>', 'file to write, NAME.safetensors, or folder')
    .addOption(new RangedOption('--dtype <type>', 'element type to write, that of each tensor by default, f16 for quantised ones', word('f32', 'f16', 'bf16')))
    .addOption(new RangedOption('--format <name>', 'of an adapter: whose programs are to read it', word('diffusers', 'peft', 'kohya')))
    .addOption(new RangedOption('-m, --model <path>', 'of an adapter for none of the published models: the checkpoint that it is for', path))
    .addOption(new RangedOption('--variant <name>', 'which weights of a folder, such as fp16', path))
    .addOption(tokenizerOption())
    .addOption(predictionOption())
    .addOption(new Option('-f, --force', 'replace what stands at TARGET'))
    .addHelpText('after', examples([
      'antipode convert v1-5-pruned.ckpt sd15 --tokenizer clip-vit-large-patch14 --dtype f16',
      'antipode convert sd15 sd15.safetensors',
      'antipode convert unet-Q8_0.gguf unet.safetensors',
      'antipode convert lora.safetensors lora-kohya.safetensors --format kohya',
    ]))
  hint(command)
  command.action(async (source: string, target: string, { force = false, ...flags }: Flags) => {
    const { signal, progress } = start({ resumes: false })
    finish(await commands.convert({ source, target, force, ...flags, signal, progress }))
  })
}
