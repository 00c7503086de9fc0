import { copyFileSync, cpSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const tests = join(import.meta.dirname, '../packages/pipelines/test')

/**
 * Puts files that examples open into a folder: checkpoints under the names of the hub, with tiny models in them, and adapters that fit
 * the first.
 */
export function placeExampleFiles(folder) {
  mkdirSync(folder, { recursive: true })
  cpSync(join(tests, 'sd'), join(folder, 'stable-diffusion-v1-5'), { recursive: true })
  cpSync(join(tests, 'sdxl'), join(folder, 'stable-diffusion-xl-base-1.0'), { recursive: true })
  for (const file of readdirSync(join(tests, 'adapters'))) copyFileSync(join(tests, 'adapters', file), join(folder, file))
}
