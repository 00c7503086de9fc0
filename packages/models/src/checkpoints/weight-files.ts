import type { Folder, TensorFile } from '@antipode/core/io'
import { weightStems } from './layout.ts'
import type { OpenFiles } from './open-files.ts'
import { refuse } from './refuse.ts'

/** What files of torch are called, which are older. */
const olderStems = { diffusers: 'diffusion_pytorch_model', transformers: 'pytorch_model' } as const

/**
 * Opens the weights in a folder: whole or in shards, of the variant asked for. Without one of that variant the plain
 * file is taken, as diffusers takes it; and where nothing is asked for and only f16 is there, that. Files of torch are
 * taken where there is no safetensors.
 *
 * @param at the folder of the component with its slash, or ''
 * @param library whose class it is
 * @throws {CheckpointError} if there are none, or shards are missing
 */
export async function openWeights(
  files: OpenFiles,
  folder: Folder,
  at: string,
  library: string | undefined,
  variant: string | undefined,
): Promise<TensorFile> {
  const of = (stems: Readonly<Record<string, string>>): readonly string[] => {
    const own = stems[library ?? '']
    return own === undefined ? Object.values(stems) : [own]
  }
  const names = of(weightStems)
  const suffixes = variant === undefined ? ['', '.fp16'] : [`.${variant}`, '']
  for (const suffix of suffixes) {
    for (const stem of names) {
      const whole = await folder.file(`${at}${stem}${suffix}.safetensors`)
      if (whole !== undefined) return files.open(whole)
      const index = await folder.file(`${at}${stem}.safetensors.index${suffix}.json`)
      if (index !== undefined) return files.open(index, (shard) => folder.file(at + shard))
    }
  }
  for (const suffix of suffixes) {
    for (const stem of of(olderStems)) {
      const whole = await folder.file(`${at}${stem}${suffix}.bin`)
      if (whole !== undefined) return files.open(whole)
    }
  }
  const expected = names.map((stem) => `${at}${stem}${suffixes[0]}.safetensors`).join(' or ')
  return refuse(
    `${expected} in ${folder.label}, whole or as shards with an index`, 'none',
    'download it, or pass the variant that is there',
  )
}
