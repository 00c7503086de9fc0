import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { Device, type Tensor, tensor } from '@antipode/core'
import { lockPath } from '@antipode/core/io'
import { adamw, cosineDecay, ema } from '@antipode/core/optim'
import { rng } from '@antipode/core/random'
import { saveModel } from '@antipode/models'
import { degradedBatch, digitsDenoiser, type DigitsModelName, digitsUNet, labelsOf, loadDigits, NO_DIGIT, schedule } from '@antipode/digits'
import { denoising, drawNoise, type SampleBatch, train } from '@antipode/npo'
import { compilingProgress, type Progress } from '../progress/index.ts'
import { defaultSteps, hyper } from '../train-recipe.ts'
import { CurveFile } from './curve.ts'

/** Options of `antipode train base`. */
export interface TrainBaseOptions {
  /** Checkpoint to write, in a folder that is there; a JSON file with recipe, curve and hash goes beside it. */
  readonly out: string
  readonly model: DigitsModelName
  readonly steps?: number
  readonly seed: number
  /** Whether to continue an interrupted run of the same recipe. */
  readonly resume: boolean
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** What was trained and how; written beside the checkpoint. */
export interface BaseCard {
  readonly model: DigitsModelName
  readonly seed: number
  readonly recipe: Readonly<Record<string, number | string>>
  readonly adapter: string
  readonly sha256: string
  readonly seconds: number
  /** Mean loss of every hundred steps. */
  readonly loss: readonly number[]
}

/**
 * Trains the base model on digits degraded at random, as unfiltered data is, and writes its moving average as f16. A
 * batch
 * depends on seed and step alone, so the same seed on the same class of adapter gives the same file.
 */
export async function runTrainBase(options: TrainBaseOptions): Promise<BaseCard & { readonly checkpoint: string }> {
  const { out, model, seed, signal } = options
  const progress = compilingProgress(options.progress)
  const steps = options.steps ?? defaultSteps[model]
  // The run's own files, which are removed at its end, are another's as long as one trains.
  await using lock = await lockPath('train base', out)
  const learningRate = cosineDecay({ warmup: hyper.warmup, steps })
  const started = performance.now()
  await using device = await Device.request({ signal, onCompile: progress.onCompile })
  const digits = await loadDigits({ size: model === 'digits-16' ? 16 : 28 })
  const unet = digitsUNet(device, model, { seed })
  const parameters = unet.state()
  const recipe = { ...hyper, steps, schedule: 'linear 1e-4..0.02, T 1000', optimiser: 'AdamW, cosine' }
  const run = { path: `${out}.run`, every: 250, recipe: JSON.stringify({ model, seed, ...recipe }) }
  const average = ema(hyper.averageDecay)
  const objective = denoising<Tensor>()
  const phase = progress.phase(`training ${model} on degraded digits`, steps)
  const resume = options.resume && existsSync(run.path)
  const curve = new CurveFile(`${run.path}.curve`, resume)
  for await (const step of train<SampleBatch<Tensor>>({
    parameters,
    optimizer: adamw({ lr: hyper.learningRate, weightDecay: hyper.weightDecay }),
    schedule: learningRate,
    clipNorm: hyper.clipNorm,
    ema: average,
    steps,
    batch: (index) => {
      const generator = rng(seed, { stream: index + 1 })
      const batch = degradedBatch(digits.splits.train, { count: hyper.batch, generator })
      const labels = Int32Array.from(batch.labels, (label) => (generator.uniform() < hyper.labelDropout ? NO_DIGIT : label))
      const shape = [hyper.batch, 1, digits.size, digits.size]
      return {
        ...drawNoise(device, schedule, shape, { seed, step: index }),
        samples: tensor(device, batch.images, shape),
        condition: labelsOf(device, labels),
      }
    },
    loss: (batch) => objective.evaluate({ model: digitsDenoiser(unet) }, batch),
    compile: true,
    release: (batch) => { batch.samples.dispose() },
    checkpoint: run,
    resume,
    signal,
  })) {
    curve.append(step)
    phase.advance(1, `loss ${step.loss.toFixed(4)}`)
  }
  phase.done()
  await saveModel(out, unet.withParameters(average.averages()), { model, seed: `${seed}`, recipe: JSON.stringify(recipe) }, { dtype: 'f16', signal })
  const card: BaseCard = {
    model, seed, recipe, adapter: device.adapter.description,
    sha256: createHash('sha256').update(await readFile(out)).digest('hex'),
    seconds: Math.round((performance.now() - started) / 1000),
    loss: meansOfHundred(curve.steps().map((s) => s.loss)),
  }
  await writeFile(`${out}.json`, `${JSON.stringify(card, null, 2)}\n`)
  await lock.check()
  for (const path of [run.path, `${run.path}.curve`]) await rm(path, { force: true })
  return { ...card, checkpoint: out }
}

function meansOfHundred(losses: readonly number[]): number[] {
  return Array.from({ length: Math.ceil(losses.length / 100) }, (_, i) => {
    const part = losses.slice(100 * i, 100 * i + 100)
    return Number((part.reduce((a, b) => a + b, 0) / part.length).toFixed(5))
  })
}
