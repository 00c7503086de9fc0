import { Device } from '@antipode/core'
import { loadPipeline } from '@antipode/pipelines'
import type { Json, StudyJob } from '@antipode/npo/studies'
import type { EvalSettings, MetricSource } from '../eval-settings/index.ts'
import { UsageError } from '../usage-error.ts'
import { metricDigest, metricsOf } from './metrics.ts'
import { adaptersOf, digestOf, type Evaluated, noiseSeed } from './scorer.ts'

/** Pictures of a checkpoint of Stable Diffusion, scored by modules. */
export const picturesEvaluated: Evaluated = {
  async task(settings) {
    const { model, dtype = null, steps } = settings
    const { prompts, metrics } = requiredOf(settings)
    const digests: Record<string, Json> = {}
    for (const [name, source] of Object.entries(metrics)) digests[name] = await metricDigest(source)
    return { model: await digestOf(model), dtype, prompts: [...prompts], steps, metrics: digests, ...ownOf(settings) }
  },
  async open(settings, signal) {
    const { model, dtype, steps } = settings
    const { prompts, metrics } = requiredOf(settings)
    const device = await Device.request({ signal })
    const judges = await metricsOf(device, metrics, signal)
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
        for (const [name, { score }] of judges) scores[name] = Array.from(await score(images, prompt, aborted))
        return scores
      },
      async [Symbol.asyncDispose]() {
        pipe[Symbol.dispose]()
        for (const metric of judges.values()) metric[Symbol.dispose]()
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
function requiredOf({ model, prompts, metrics = {} }: EvalSettings): { prompts: readonly string[]; metrics: Readonly<Record<string, MetricSource>> } {
  if (!Object.hasOwn(metrics, 'judge')) {
    const got = Object.keys(metrics).join(', ') || 'none'
    throw new UsageError(`eval: expected metrics with a judge for ${model}, got ${got}; name the judge's module or reward`)
  }
  if (typeof prompts === 'object' && prompts.length > 0) return { prompts, metrics }
  throw new UsageError(`eval: expected prompts for ${model}, got none; give a list, or a file with one a line`)
}
