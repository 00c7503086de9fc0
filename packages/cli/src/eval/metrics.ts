import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Backend } from '@antipode/core'
import type { Json } from '@antipode/npo/studies'
import { type GeneratedImage, preprocessImages } from '@antipode/pipelines'
import { type LoadedReward, loadReward } from '@antipode/rewards'
import type { MetricSource } from '../eval-settings/index.ts'
import { UsageError } from '../usage-error.ts'
import { digestOf } from './scorer.ts'

/** A user's own metric: the default export of a module. One number for each picture; higher is better for `judge`. */
export type PictureMetric = (
  pictures: readonly GeneratedImage[], prompts: readonly string[], signal: AbortSignal,
) => ArrayLike<number> | Promise<ArrayLike<number>>

/** A metric, with what it holds on the device. */
export interface Metric extends Disposable {
  readonly score: PictureMetric
}

/** Metrics by their names, ready to score. @throws {UsageError | CheckpointError} that says which cannot, and why */
export async function metricsOf(
  device: Backend, sources: Readonly<Record<string, MetricSource>>, signal: AbortSignal,
): Promise<ReadonlyMap<string, Metric>> {
  const metrics = new Map<string, Metric>()
  try {
    for (const [name, source] of Object.entries(sources)) {
      if (typeof source === 'string') {
        metrics.set(name, { score: await moduleMetric(name, source), [Symbol.dispose]() {} })
        continue
      }
      const { reward, ...files } = source
      const loaded = await loadReward(device, reward, { ...files, signal })
      metrics.set(name, { score: rewardMetric(device, loaded), [Symbol.dispose]: () => { loaded[Symbol.dispose]() } })
    }
    return metrics
  } catch (error) {
    for (const metric of metrics.values()) metric[Symbol.dispose]()
    throw error
  }
}

/** What scores of a metric depend on. */
export async function metricDigest(source: MetricSource): Promise<Json> {
  if (typeof source === 'string') return await digestOf(source)
  const { files, tokenizer, clip, ...own } = source
  const digests: Record<string, Json> = {}
  for (const [part, place] of Object.entries({ files, tokenizer, clip })) {
    if (place !== undefined) digests[part] = await digestOf(place)
  }
  return { ...own, ...digests }
}

/** A reward of pictures as they are saved, in bytes. */
function rewardMetric(device: Backend, { reward, prompts }: LoadedReward): PictureMetric {
  return async (pictures, texts) => {
    const scores: number[] = []
    // One at a time: a judge of many pictures at once would take more memory than drawing them did.
    for (const [i, picture] of pictures.entries()) {
      const pixels = await preprocessImages(device, picture, { multiple: 1 }) // [1, 3, H, W] in [−1, 1]
      scores.push(await reward(pixels.add(1).mul(0.5), prompts([texts[i] ?? ''])).item())
    }
    return scores
  }
}

async function moduleMetric(name: string, path: string): Promise<PictureMetric> {
  const refuse = (got: string, cause?: unknown): never => {
    throw new UsageError(
      `eval: expected the metric ${name} to be a module whose default export is a function of pictures and prompts, ` +
        `got ${got} at ${path}`, { cause },
    )
  }
  const address = pathToFileURL(resolve(path)).href
  const module: unknown = await import(address).catch((error: Error) => refuse(error.message, error))
  const metric = (module as { default?: unknown }).default
  return typeof metric === 'function' ? metric as PictureMetric : refuse('no such function') // called as the docs say
}
