import { fileURLToPath } from 'node:url'
import type { Backend } from '@antipode/core'
import { loadModel, type UNet2DConditionModel } from '@antipode/models'
import { digitsBase, type DigitsModelName } from '@antipode/digits'
import { readBaseFile } from '../checks/index.ts'
import type { BaseCard } from '../train/index.ts'

/** The model all arms start from, and where it came from. */
export interface Base {
  readonly unet: UNet2DConditionModel
  readonly card: BaseCard
  readonly source: string
}

/**
 * Loads a base checkpoint and the card beside it: the user's, or the one that comes with the models package.
 * @throws {UsageError} if it is missing, of another model, or not the file its card describes
 * @throws {CheckpointError} if the model cannot be made of it
 */
export async function loadBase(device: Backend, model: DigitsModelName, path: string | undefined): Promise<Base> {
  const shipped = digitsBase[model]
  const { bytes, card } = await readBaseFile(model, path ?? (shipped ? fileURLToPath(shipped.weights) : ''))
  return { unet: await loadModel(device, bytes, { dtype: 'f32' }), card, source: path ?? 'shipped with @antipode/models' }
}
