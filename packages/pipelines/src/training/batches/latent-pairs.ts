import { type Backend, evaluate, randn, type Tensor, tensor } from '@antipode/core'
import { type AutoencoderKL, DiagonalGaussian, type UNet2DCondition } from '@antipode/models'
import { BatchOrder, drawNoise, type ForwardProcess, type PairBatch } from '@antipode/npo'
import type { Schedule } from '@antipode/schedulers'
import { toUNet } from '../../latents/index.ts'
import type { EncodedPairs, LoadedPair, ShardTensor } from '../encodings/index.ts'

/** Options of {@link latentPairs}. */
export interface LatentPairsOptions {
  /** What the denoiser was trained by: the schedule of its scheduler says what it predicts. */
  readonly process: Schedule | ForwardProcess
  /** Pairs of a batch. */
  readonly size: number
  /** Of the order, timesteps, noise and latents. */
  readonly seed: number
  /** Whether latents are drawn anew from their distribution each time, as by default, or are its most likely ones. */
  readonly posterior?: 'sample' | 'mode'
}

/** What {@link train} of @antipode/npo takes of a maker of batches. */
export interface LatentPairs {
  readonly batch: (index: number) => Promise<PairBatch<UNet2DCondition>>
  readonly release: (batch: PairBatch<UNet2DCondition>) => void
}

/** Latents are drawn from other streams than noise, which takes one a batch from 0 on. */
const firstStream = 2 ** 31

/**
 * Batches of encoded pairs for an objective on pairs: latents of both pictures, one noise and one timestep for both,
 * and the prompt. A batch depends on its number and the options alone.
 */
export function latentPairs(vae: AutoencoderKL, pairs: EncodedPairs, options: LatentPairsOptions): LatentPairs {
  const { process, size, seed, posterior = 'sample' } = options
  const { device } = vae
  const order = new BatchOrder(pairs.buckets, size, seed)
  return {
    async batch(index) {
      const loaded = await pairs.load(order.batch(index))
      const rows = [...loaded.map(({ chosen }) => chosen), ...loaded.map(({ rejected }) => rejected)]
      using moments = stacked(device, rows) // [2B, 2·C, h, w]
      const distribution = new DiagonalGaussian(moments)
      const drawn = (): Tensor => distribution.sample(
        randn(device, distribution.mean.shape, { seed, stream: firstStream + index }),
      )
      const latents = toUNet(vae, posterior === 'mode' ? distribution.mode() : drawn())
      const [chosen, rejected] = [latents.slice(0, 0, size), latents.slice(0, size)]
      await evaluate(chosen, rejected)
      const draw = drawNoise(device, process, chosen.shape, { seed, step: index })
      return { ...draw, chosen, rejected, condition: conditionOf(device, loaded) }
    },
    release({ chosen, rejected, condition }) {
      for (const t of [chosen, rejected, ...Object.values(condition) as Tensor[]]) t.dispose()
    },
  }
}

/** Numbers of one shape as the rows of a batch. */
function stacked(device: Backend, rows: readonly ShardTensor[]): Tensor {
  const [{ shape, data: { length } }] = rows as readonly [ShardTensor]
  const data = new Float32Array(rows.length * length)
  for (const [i, row] of rows.entries()) data.set(row.data, i * length)
  return tensor(device, data, [rows.length, ...shape])
}

/** What the UNet is told of each pair: its prompt, and of Stable Diffusion XL the sizes too. */
function conditionOf(device: Backend, loaded: readonly LoadedPair[]): UNet2DCondition {
  const names = [...(loaded[0]?.prompt.keys() ?? [])]
  const prompts = Object.fromEntries(
    names.map((name) => [name, stacked(device, loaded.map(({ prompt }) => prompt.get(name) as ShardTensor))]),
  )
  if (!names.includes('textEmbeds')) return prompts
  return { ...prompts, timeIds: tensor(device, loaded.flatMap(({ timeIds }) => timeIds), [loaded.length, 6]) }
}
