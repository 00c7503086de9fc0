import { type Command } from 'commander'
import { path, RangedOption, word } from './option-values.ts'
import { type Adding, examples, hint, needs } from './program-parts.ts'
import type { ReconstructCommandOptions } from './reconstruct/index.ts'

/** Flags that are not given are missing. */
type Flags = Omit<ReconstructCommandOptions, 'image' | 'progress' | 'signal'>

/** Adds `reconstruct`. */
export function addReconstruct(program: Command, { commands, start, finish }: Adding): void {
  const command = program
    .command('reconstruct')
    .summary('encode and decode an image by an autoencoder, and say how near it comes')
    .description(
      'Encodes an image to latents and decodes it again, by the autoencoder of a checkpoint, one by itself, or a tiny one of two ' +
      'files (TAESD, TAESDXL, TAEF2), writes what comes back and says its peak signal-to-noise ratio.',
    )
    .argument('<image>', 'PNG or JPEG')
    .addOption(new RangedOption('-m, --model <path>', 'folder or file of a checkpoint or an autoencoder', path))
    .addOption(new RangedOption('--variant <name>', 'which weights of a folder, such as fp16', path))
    .addOption(new RangedOption('--dtype <type>', 'what the autoencoder computes in', word('f32', 'f16', 'bf16')).default('f32'))
    .addOption(new RangedOption('-o, --out <file>', 'PNG file to write', path).default('runs/reconstructed.png'))
    .addHelpText('after', examples([
      'antipode reconstruct photo.png --model sd15',
      'antipode reconstruct photo.png --model taef2 --out back.png',
      'antipode reconstruct photo.png --model taesd/taesd_decoder.safetensors --json',
    ]))
  hint(command)
  command.action(async (image: string, flags: Flags) => {
    needs(command, flags, 'model')
    const { signal, progress } = start({ resumes: false })
    finish(await commands.reconstruct({ image, ...flags, signal, progress }))
  })
}
