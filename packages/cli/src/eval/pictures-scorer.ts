import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Device } from '@antipode/core'
import { loadPipeline, type GeneratedImage } from '@antipode/pipelines'
import type { Json, StudyJob } from '@antipode/npo/studies'
import type { EvalSettings } from '../eval-settings/index.ts'
import { UsageError } from '../usage-error.ts'
import { adaptersOf, digestOf, type Evaluated, noiseSeed } from './scorer.ts'

/** A user's own metric: the default export of a module. One number for each picture; higher is better for `judge`. */
export type PictureMetric = (
  pictures: readonly GeneratedImage[], prompts: readonly string[], signal: AbortSignal,
) => ArrayLike<number> | Promise<ArrayLike<number>>

/** Pictures of a checkpoint of Stable Diffusion, scored by modules. */
export const picturesEvaluated: Evaluated = {
  async task(settings) {
    const { model, dtype = null, steps } = settings
    const { prompts, metrics } = requiredOf(settings)
    const digests: Record<string, Json> = {}
    for (const [name, path] of Object.entries(metrics)) digests[name] = await digestOf(path)
    return { model: await digestOf(model), dtype, prompts: [...prompts], steps, metrics: digests, ...ownOf(settings) }
  },
  async open(settings, signal) {
    const { model, dtype, steps } = settings
    const { prompts, metrics } = requiredOf(settings)
    const judges = await Promise.all(Object.entries(metrics).map(async ([name, path]) => [name, await metricOf(name, path)] as const))
    const device = await Device.request({ signal })
    const pipe = await loadPipeline(device, model, { signal, ...(dtype ? { dtype } : {}) })
    const ready = adaptersOf(settings, {
      model: pipe.components.unet,
      clear: () => { for (const name of pipe.adapters.names) pipe.adapters.remove(name) },
      load: (name, file) => pipe.adapters.load(name, file, { signal }),
    })
    return {
      async score(job: StudyJob, aborted) {
        const { positive, negative, scale, from, to } = job
        await ready(job.seed)
        const items = Array.from({ length: to - from }, (_, i) => from + i)
        const prompt = items.map((item) => prompts[item % prompts.length] ?? '')
        const { images } = await pipe({
          ...ownOf(settings), prompt, steps, guidanceScale: scale, positive, negative, signal: aborted,
          seed: items.map((item) => noiseSeed(job, item)),
        })
        const scores: Record<string, number[]> = {}
        for (const [name, metric] of judges) scores[name] = Array.from(await metric(images, prompt, aborted))
        return scores
      },
      async [Symbol.asyncDispose]() {
        pipe[Symbol.dispose]()
        await device[Symbol.asyncDispose]()
      },
    }
  },
}

/** What of the settings goes to the pipeline as it is. */
function ownOf({ width, height, negativePrompt }: EvalSettings): { width?: number; height?: number; negativePrompt?: string } {
  return { ...(width ? { width } : {}), ...(height ? { height } : {}), ...(negativePrompt === undefined ? {} : { negativePrompt }) }
}

/** @throws {UsageError} unless there are prompts and a judge */
function requiredOf({ model, prompts, metrics = {} }: EvalSettings): { prompts: readonly string[]; metrics: Readonly<Record<string, string>> } {
  if (!Object.hasOwn(metrics, 'judge')) {
    const got = Object.keys(metrics).join(', ') || 'none'
    throw new UsageError(`eval: expected metrics with a judge for ${model}, got ${got}; name the judge's module`)
  }
  if (typeof prompts === 'object' && prompts.length > 0) return { prompts, metrics }
  throw new UsageError(`eval: expected prompts for ${model}, got none; give a list, or a file with one a line`)
}

async function metricOf(name: string, path: string): Promise<PictureMetric> {
  const refuse = (got: string, cause?: unknown): never => {
    throw new UsageError(
      `eval: expected the metric ${name} to be a module whose default export is a function of pictures and prompts, got ${got} at ${path}`, { cause },
    )
  }
  const module: unknown = await import(pathToFileURL(resolve(path)).href).catch((error: Error) => refuse(error.message, error))
  const metric = (module as { default?: unknown }).default
  return typeof metric === 'function' ? metric as PictureMetric : refuse('no such function') // called as the docs say
}
