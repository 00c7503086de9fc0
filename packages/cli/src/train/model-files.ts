import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Components } from '@antipode/pipelines'

/** One text for the files of a checkpoint: names, sizes and times. Of what is no path it is the name. */
export async function modelFilesDigest(model: string): Promise<string> {
  const found = await stat(model).catch(() => undefined)
  const hash = createHash('sha256')
  const names = found?.isDirectory() ? (await readdir(model, { recursive: true })).sort() : ['']
  for (const name of names) {
    const file = await stat(join(model, name)).catch(() => undefined)
    if (file?.isFile() ?? true) hash.update(JSON.stringify([found ? name : model, file?.size, file?.mtimeMs]))
  }
  return hash.digest('hex')
}

/** Side of the pictures that a model was trained on. */
export function resolutionOf({ unet, vae }: Pick<Components, 'unet' | 'vae'>): number {
  const { sample_size: size } = unet.config
  return (typeof size === 'number' ? size : size?.[0] ?? 64) * vae.scale
}
