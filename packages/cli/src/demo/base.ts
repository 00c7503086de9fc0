import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { CheckpointError, type TensorHost } from '@antipode/core'
import { loadModel, type UNet2DConditionModel } from '@antipode/models'
import { digitsBase, type DigitsModelName } from '@antipode/models/digits'
import type { BaseCard } from '../train/index.ts'

/** The model all arms start from, and where it came from. */
export interface Base {
  readonly unet: UNet2DConditionModel
  readonly card: BaseCard
  readonly source: string
}

/**
 * Loads a base checkpoint and the card beside it: the user's, or the one that comes with the models package.
 * @throws {CheckpointError} if it is missing, of another model, or not the file its card describes
 */
export async function loadBase(device: TensorHost, model: DigitsModelName, path: string | undefined): Promise<Base> {
  const shipped = digitsBase[model]
  const file = path ?? (shipped ? fileURLToPath(shipped.weights) : undefined)
  if (file === undefined || !existsSync(file) || !existsSync(`${file}.json`)) {
    throw new CheckpointError(
      `demo: expected a base checkpoint and its card for ${model}, got ${file === undefined ? 'none with the package' : `nothing at ${file}`}; ` +
      `make one with \`antipode train base --model ${model} --out FILE\` and pass it as --base FILE`,
    )
  }
  const bytes = new Uint8Array(await readFile(file))
  const card = JSON.parse(await readFile(`${file}.json`, 'utf8')) as BaseCard // written by `train base`
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (card.model !== model || card.sha256 !== sha256) {
    throw new CheckpointError(`demo: expected ${model} with SHA-256 ${card.sha256} at ${file}, got ${card.model} with ${sha256}; train or fetch it again`)
  }
  return { unet: await loadModel(device, bytes, { dtype: 'f32' }), card, source: path ?? 'shipped with @antipode/models' }
}
