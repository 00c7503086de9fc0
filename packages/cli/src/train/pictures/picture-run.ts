import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Device, type Tensor } from '@antipode/core'
import { lockPath } from '@antipode/core/io'
import { ema, type Ema, powerWarmup } from '@antipode/core/optim'
import { type TrainStep } from '@antipode/npo'
import type { PixelSource } from '@antipode/pipelines'
import { type FullTrainingOptions, loadSquares, openCaptioned, type SquarePictures } from '@antipode/pipelines/training'
import { compilingProgress, type Progress } from '../../progress/index.ts'
import type { PictureSettings } from '../../train-settings/index.ts'
import { averaged } from '../averaged.ts'
import { RunRecord, runFiles } from '../run-record.ts'
import { unlessAborted } from '../unless-aborted.ts'

/** Options of the commands that train on captioned pictures. */
export interface TrainPicturesOptions {
  readonly settings: PictureSettings
  /** Where results go; they go on with an interrupted run of the same settings. */
  readonly out: string
  /** Whether to continue an interrupted run. */
  readonly resume: boolean
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** What was trained, and where it is. */
export interface TrainPicturesResult {
  /** The folder of the model. */
  readonly model: string
  readonly metrics: string
  readonly pictures: number
  /** Numbers that were trained. */
  readonly parameters: number
  /** Of the last step. */
  readonly last: TrainStep | undefined
  readonly seconds: number
}

/** What a stage makes of pictures: what learns, how, and what is shown and saved of it. */
export interface Stage {
  readonly parameters: ReadonlyMap<string, Tensor>
  /** Beside the settings, what would make it another run. */
  readonly recipe: object
  steps(options: FullTrainingOptions): AsyncGenerator<TrainStep, void, void>
  /** A grid of so many columns, of what can be shown. */
  samples?(): Promise<{ readonly images: readonly PixelSource[]; readonly columns: number }>
  save(folder: string): Promise<void>
}

/** A stage before its pictures are there. */
export type StageMaker = (
  device: Device, pictures: SquarePictures, options: Omit<TrainPicturesOptions, 'out' | 'resume'>,
) => Promise<Stage>

/**
 * Trains a stage on a folder of captioned pictures, and writes its model. Settings, metrics, grids of samples and the
 * run itself lie in one folder; the same command goes on with an interrupted run.
 */
export async function runPictures(makeStage: StageMaker, options: TrainPicturesOptions): Promise<TrainPicturesResult> {
  const { settings, out, signal } = options
  const started = performance.now()
  const progress = compilingProgress(options.progress)
  await mkdir(out, { recursive: true })
  await using lock = await lockPath(`train ${settings.stage}`, join(out, runFiles.settings))
  const pictures = await picturesOf(options)
  await using device = await Device.request({ signal, onCompile: progress.onCompile })
  const stage = await makeStage(device, pictures, { settings, signal, progress })
  using average = settings.ema > 0 ? ema(powerWarmup(settings.ema)) : undefined
  const last = await trained(stage, average, { ...options, progress })
  const model = join(out, 'model')
  await lock.check()
  await averaged(stage.parameters, average, () => stage.save(model))
  return {
    model, metrics: join(out, runFiles.metrics), pictures: pictures.captions.length, last,
    parameters: [...stage.parameters.values()].reduce((sum, t) => sum + t.size, 0),
    seconds: Math.round((performance.now() - started) / 1000),
  }
}

async function picturesOf({ settings, signal, progress }: TrainPicturesOptions): Promise<SquarePictures> {
  const { data, split, balance, side } = settings
  const found = await openCaptioned(data, {
    ...(split === undefined ? {} : { split }), ...(balance === undefined ? {} : { balance }),
  })
  const phase = progress.phase(`reading ${data}`, found.length)
  const pictures = await loadSquares(found, { side, signal, onPicture: () => { phase.advance(1) } })
  phase.done(`${found.length} pictures of ${side}×${side} pixels`)
  return pictures
}

/** Trains step by step, and gives the last. */
async function trained(stage: Stage, average: Ema | undefined, options: TrainPicturesOptions): Promise<TrainStep | undefined> {
  const { settings, out, signal, progress } = options
  const { steps, batch, learningRate, warmup, seed, checkpointEvery, sampleEvery } = settings
  const path = join(out, runFiles.run)
  const resume = options.resume && existsSync(path)
  const record = new RunRecord(out, settings, resume)
  const phase = progress.phase(`training ${settings.stage}`, steps)
  for await (const step of stage.steps({
    steps, batch, learningRate, warmup, seed, signal, resume,
    ...(average ? { ema: average } : {}),
    checkpoint: { path, every: checkpointEvery, recipe: JSON.stringify({ ...recipeOf(settings), ...stage.recipe }) },
  })) {
    await record.add(step)
    phase.advance(1, `loss ${step.loss.toFixed(4)}`)
    if (!stage.samples || sampleEvery === 0 || (step.step + 1) % sampleEvery !== 0) continue
    const made = await averaged(stage.parameters, average, () => unlessAborted(signal, async () => stage.samples?.()))
    if (made) await record.samples(step.step + 1, made.images, made.columns)
  }
  phase.done()
  return record.last
}

/** What a run cannot change on its way. */
function recipeOf(settings: PictureSettings): object {
  const { checkpointEvery, sampleEvery, samplePrompts, sampleSteps, scale, ...recipe } = settings
  return recipe
}
