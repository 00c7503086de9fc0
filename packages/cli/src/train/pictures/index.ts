import { autoencoderStage } from './autoencoder-stage.ts'
import { baseStage } from './base-stage.ts'
import { clipStage } from './clip-stage.ts'
import { runPictures, type TrainPicturesOptions, type TrainPicturesResult } from './picture-run.ts'

export type { TrainPicturesOptions, TrainPicturesResult }

const stages = { autoencoder: autoencoderStage, clip: clipStage, base: baseStage }

/** `antipode train autoencoder`, `antipode train clip`, and `antipode train base --data`. */
export async function runTrainPictures(options: TrainPicturesOptions): Promise<TrainPicturesResult> {
  return await runPictures(stages[options.settings.stage], options)
}
