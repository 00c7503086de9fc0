import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Device, randn } from '@antipode/core'
import { lockPath } from '@antipode/core/io'
import { adapterParameters, addAdapter, lora } from '@antipode/core/nn'
import { adamw, constantWithWarmup, ema, lossScaler, powerWarmup } from '@antipode/core/optim'
import { saveAdapter } from '@antipode/models'
import { cfg, type Condition, type Denoiser, sampleToEnd, type TrainStep } from '@antipode/npo'
import { type PixelSource, postprocessImages } from '@antipode/pipelines'
import { ddim, type DdimConfig } from '@antipode/schedulers'
import { compilingProgress, type Progress } from '../../progress/index.ts'
import { digitsModel, onlineName, type OnlineSettings } from '../../train-settings/index.ts'
import { averaged } from '../averaged.ts'
import { RunRecord, runFiles } from '../run-record.ts'
import { digitsTask } from './digits-task.ts'
import { methods, type OnlineRun } from './methods.ts'
import { pipelineTask } from './pipeline-task.ts'
import type { OnlineTask } from './task.ts'

/** Options of `antipode train` with a method that learns from its own samples. */
export interface TrainOnlineOptions {
  readonly settings: OnlineSettings
  /** Where results go; they go on with an interrupted run of the same settings. */
  readonly out: string
  readonly resume: boolean
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** What was trained, and where it is. */
export interface TrainOnlineResult {
  readonly adapter: string
  readonly metrics: string
  readonly steps: number
  /** The last step, and the first. */
  readonly last: TrainStep | undefined
  readonly seconds: number
}

/**
 * Trains an adapter of a checkpoint of Stable Diffusion, or of the digits model, on what it samples itself. Settings,
 * metrics, grids of samples and the adapter lie in one folder, and so does the run, which the same command goes on with.
 */
export async function runTrainOnline(options: TrainOnlineOptions): Promise<TrainOnlineResult> {
  const { settings, out, signal } = options
  const started = performance.now()
  const progress = compilingProgress(options.progress)
  await mkdir(out, { recursive: true })
  await using lock = await lockPath(`train ${settings.method}`, join(out, runFiles.settings))
  await using device = await Device.request({ signal, onCompile: progress.onCompile })
  const loading = progress.phase(`loading ${settings.model}`, 1)
  const all = { ...options, progress }
  const done = async <C extends Condition>(made: OnlineTask<C>): Promise<TrainOnlineResult> => {
    using task = made
    loading.done()
    const last = await trained(task, all)
    await lock.check()
    return {
      adapter: fileOf(all), metrics: join(out, runFiles.metrics), steps: settings.steps, last,
      seconds: Math.round((performance.now() - started) / 1000),
    }
  }
  return settings.model === digitsModel
    ? await done(await digitsTask(device))
    : await done(await pipelineTask(device, settings, signal))
}

function fileOf({ settings, out }: TrainOnlineOptions): string {
  return join(out, `${onlineName(settings)}.safetensors`)
}

/** Trains, saves the adapter, and gives the last step. */
async function trained<C extends Condition>(task: OnlineTask<C>, options: TrainOnlineOptions): Promise<TrainStep | undefined> {
  const { settings, out, signal } = options
  const { method, rank, seed, steps, learningRate, warmup, sampleEvery, checkpointEvery, dtype, format } = settings
  const { unet, targets } = task
  const adapter = onlineName(settings)
  addAdapter(unet, adapter, lora({ rank, targets, seed }))
  const parameters = adapterParameters(unet, adapter)
  using optimizer = adamw({ lr: learningRate })
  using average = settings.ema > 0 ? ema(powerWarmup(settings.ema)) : undefined
  const path = join(out, runFiles.run)
  const resume = options.resume && existsSync(path)
  const run: OnlineRun<C> = {
    task, settings, adapter, tuned: guided(task, settings, { [adapter]: 1 }), frozen: guided(task, settings, {}),
    sampler: samplerOf(task, 0), policy: samplerOf(task, 1),
    shared: {
      parameters, optimizer, steps, schedule: constantWithWarmup(warmup), clipNorm: 1, resume, signal,
      checkpoint: { path, every: checkpointEvery, recipe: recipeOf(settings, task) },
      ...(average ? { ema: average } : {}),
      ...(dtype === 'f16' ? { lossScaler: lossScaler() } : {}),
    },
  }
  const record = new RunRecord(out, settings, resume)
  const phase = options.progress.phase(`training ${adapter}`, steps)
  for await (const step of methods[method](run)) {
    await record.add(step)
    const { loss, metrics: { reward } } = step
    phase.advance(1, `loss ${loss.toFixed(4)}${reward === undefined ? '' : `, reward ${reward.toFixed(4)}`}`)
    if (sampleEvery === 0 || (step.step + 1) % sampleEvery !== 0 || signal.aborted) continue
    await record.samples(step.step + 1, await averaged(parameters, average, () => pairsOf(run)), 2)
  }
  phase.done()
  const metadata = { method, negated: `${settings.negated}`, seed: `${seed}`, steps: `${steps}` }
  await averaged(parameters, average, () => saveAdapter(fileOf(options), { unet }, { name: adapter, format, metadata, signal }))
  return record.last
}

/** What a run cannot change on its way. */
function recipeOf({ steps: _, checkpointEvery: _every, sampleEvery: _samples, format: _format, stopReward: _stop, ...rest }: OnlineSettings, { digest }: Pick<OnlineTask<never>, 'digest'>): string {
  return JSON.stringify({ ...rest, digest })
}

/** The model with adapters, guided by itself without a condition. */
function guided<C extends Condition>(task: OnlineTask<C>, { scale }: OnlineSettings, weights: Record<string, number>): Denoiser<C> {
  const model = task.denoiser(weights)
  return cfg<C>({ positive: model, negative: model, scale, unconditional: (condition) => task.unconditional(condition) })
}

/** DDIM by the model's own table, whose steps have a density where there is noise. */
function samplerOf({ schedule }: Pick<OnlineTask<never>, 'schedule'>, eta: number): ReturnType<typeof ddim> {
  return ddim({
    ...schedule.config, predictionType: schedule.predictionType as DdimConfig['predictionType'], // was looked at
    eta, clipSample: false, setAlphaToOne: false, stepsOffset: 1,
  })
}

/** Up to four prompts, from the same noise without the adapter and with it. */
async function pairsOf<C extends Condition>({ task, tuned, frozen, sampler, settings: { seed, runSteps } }: OnlineRun<C>): Promise<PixelSource[]> {
  const count = Math.min(4, task.prompts.length)
  const noise = randn(task.unet.device, task.shape(count), { seed, stream: 2 ** 31 })
  const condition = task.condition(Array.from({ length: count }, (_, i) => i))
  const rows: (readonly PixelSource[])[] = []
  for (const model of [frozen, tuned]) {
    using samples = await sampleToEnd(model, sampler, noise, condition, { steps: runSteps, ...(task.x0 ? { x0: task.x0 } : {}) })
    rows.push(await postprocessImages(task.pictures(samples), { denormalize: false }))
  }
  return Array.from({ length: count }, (_, i) => rows.flatMap((row) => row[i] ?? [])).flat()
}
