import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Device } from '@antipode/core'
import { lockPath } from '@antipode/core/io'
import { adapterParameters } from '@antipode/core/nn'
import { ema, type Ema, powerWarmup } from '@antipode/core/optim'
import { saveAdapter } from '@antipode/models'
import { pinned, type TrainStep } from '@antipode/npo'
import { loadPipeline, type Pixels } from '@antipode/pipelines'
import { encodePairs, type EncodedPairs, openPairs, pairEncoder, trainPreference } from '@antipode/pipelines/training'
import { compilingProgress, type Progress } from '../../progress/index.ts'
import { averaged } from '../averaged.ts'
import { modelFilesDigest, resolutionOf } from '../model-files.ts'
import { RunRecord, runFiles } from '../run-record.ts'
import { unlessAborted } from '../unless-aborted.ts'
import { preferenceName, type PreferenceSettings } from '../../train-settings/index.ts'

/** Options of `antipode train dpo` and `antipode train npo`. */
export interface TrainPreferenceOptions {
  readonly settings: PreferenceSettings
  /** Where results go; they go on with an interrupted run of the same settings. */
  readonly out: string
  /** Where encoded pairs are kept. */
  readonly cache: string
  /** Whether to continue an interrupted run. */
  readonly resume: boolean
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** What was trained, and where it is. */
export interface TrainPreferenceResult {
  readonly adapter: string
  readonly metrics: string
  readonly steps: number
  readonly pairs: Readonly<Record<'pairs' | 'ties' | 'damaged', number>>
  /** Of the last step. */
  readonly last: TrainStep | undefined
  readonly seconds: number
}

type Pipe = Awaited<ReturnType<typeof loadPipeline>>

/**
 * Trains an adapter of a checkpoint of Stable Diffusion on preference pairs: η towards what people prefer, or δ towards
 * what they do not. Pairs are encoded once; settings, metrics, grids of samples and the adapter lie in one folder, and
 * so does the run itself, which the same command goes on with after an interruption, or with more steps.
 */
export async function runTrainPreference(options: TrainPreferenceOptions): Promise<TrainPreferenceResult> {
  const { settings, out, signal } = options
  const { dtype } = settings
  const name = preferenceName(settings)
  const started = performance.now()
  const progress = compilingProgress(options.progress)
  await mkdir(out, { recursive: true })
  await using lock = await lockPath(`train ${name}`, join(out, runFiles.settings))
  await using device = await Device.request({ signal, onCompile: progress.onCompile })
  const loading = progress.phase(`loading ${settings.model}`, 1)
  using pipe = await loadPipeline(device, settings.model, { dtype, signal })
  loading.done()
  const models = await modelFilesDigest(settings.model)
  const pairs = await encoded(pipe, models, options, progress)
  using average = settings.ema > 0 ? ema(powerWarmup(settings.ema)) : undefined
  const last = await trained(pipe, {
    ...options, progress, average, recipe: JSON.stringify({ ...recipeOf(settings), models, pairs: pairs.digest }),
  }, pairs)
  const adapter = join(out, `${name}.safetensors`)
  const { objective, negated, steps, beta, seed, format } = settings
  await lock.check()
  const metadata = {
    objective, negated: `${negated}`, seed: `${seed}`, steps: `${steps}`, ...(beta === undefined ? {} : { beta: `${beta}` }),
    ...(average ? { ema: `${settings.ema}` } : {}),
  }
  const { unet } = pipe.components
  await averaged(adapterParameters(unet, name), average, () => (
    saveAdapter(adapter, { unet }, { name, format, metadata, signal })
  ))
  return {
    adapter, metrics: join(out, runFiles.metrics), steps, last, seconds: Math.round((performance.now() - started) / 1000),
    pairs: { pairs: pairs.pairs, ties: pairs.ties, damaged: pairs.damaged },
  }
}

/** What a run cannot change on its way. */
function recipeOf(settings: PreferenceSettings): object {
  const { objective, negated, rank, batch, accumulate, learningRate, warmup, beta, seed, dtype, ema: decay } = settings
  return { objective, negated, rank, batch, accumulate, learningRate, warmup, beta, seed, dtype, ema: decay }
}

async function encoded(
  { components }: Pipe, models: string, { settings, cache, signal }: TrainPreferenceOptions, progress: Progress,
): Promise<EncodedPairs> {
  const { resolution = resolutionOf(components), skipDamaged } = settings
  const phase = progress.phase('encoding pairs', 1)
  let fresh = 0
  const pairs = await encodePairs(pairEncoder(components), await openPairs(settings.pairs), {
    folder: cache, resolution, skipDamaged, signal,
    // Text encoders in blocks say something else of a prompt than those that they were made of.
    models: settings.dtype === 'q8_0' ? `${models} q8_0` : models,
    dtype: components.unet.dtype === 'f16' ? 'f16' : 'f32',
    onRow: ({ rows, encoded }) => {
      if (encoded) fresh++
      phase.advance(0, `${rows} rows`)
    },
  })
  phase.done(`${pairs.pairs} pairs, ${fresh} rows encoded now, ${pairs.ties} ties left out, ${pairs.damaged} damaged`)
  return pairs
}

/** Trains step by step, and gives the last. */
async function trained(
  pipe: Pipe,
  { settings, out, recipe, signal, average, ...options }: TrainPreferenceOptions & {
    readonly recipe: string
    readonly average: Ema | undefined
  },
  pairs: EncodedPairs,
): Promise<TrainStep | undefined> {
  const {
    objective, negated, rank, steps, batch, accumulate, learningRate, warmup, beta, seed, checkpointEvery, sampleEvery,
    stopPinned,
  } = settings
  const path = join(out, runFiles.run)
  const resume = options.resume && existsSync(path)
  const record = new RunRecord(out, settings, resume)
  const phase = options.progress.phase(
    `training ${negated ? 'δ' : 'η'} (${objective.toUpperCase()}${negated ? ' negated' : ''})`, steps,
  )
  for await (const step of trainPreference(pipe.components, pairs, {
    objective, negated, adapter: preferenceName(settings), rank, steps, batch, accumulate, learningRate, warmup, seed,
    resume, signal,
    ...(beta === undefined ? {} : { beta }),
    ...(average ? { ema: average } : {}),
    ...(stopPinned > 0 ? { stop: [pinned('accuracy', { steps: stopPinned })] } : {}),
    checkpoint: { path, every: checkpointEvery, recipe },
  })) {
    await record.add(step)
    const { loss, metrics } = step
    const { accuracy } = metrics
    phase.advance(1, `loss ${loss.toFixed(4)}${accuracy === undefined ? '' : `, accuracy ${accuracy.toFixed(2)}`}`)
    if (sampleEvery === 0 || (step.step + 1) % sampleEvery !== 0) continue
    const parameters = adapterParameters(pipe.components.unet, preferenceName(settings))
    const made = await averaged(parameters, average, () => samples(pipe, settings, pairs, signal))
    if (made) await record.samples(step.step + 1, made, 2)
  }
  phase.done()
  return record.last
}

/**
 * A row for each prompt: the base, and beside it the same noise with the adapter. Nothing where the run was
 * interrupted.
 */
async function samples(
  pipe: Pipe,
  { objective, negated, samplePrompts, sampleSteps, seed }: PreferenceSettings,
  pairs: EncodedPairs,
  signal: AbortSignal,
): Promise<readonly Pixels[] | undefined> {
  const prompts = samplePrompts.length > 0 ? samplePrompts : pairs.prompts.slice(0, 4)
  const weights = { [preferenceName({ objective, negated })]: 1 }
  const branches = [{}, negated ? { negative: weights } : { positive: weights }]
  return await unlessAborted(signal, async () => {
    const made: Pixels[] = []
    for (const prompt of prompts) {
      for (const branch of branches) {
        const { images } = await pipe({ prompt, seed, steps: sampleSteps, ...branch, signal })
        made.push(...images)
      }
    }
    return made
  })
}
