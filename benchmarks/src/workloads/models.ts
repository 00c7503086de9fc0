import { gradients, type Tensor, tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import { flopsOf, flopsPerImage } from '@antipode/models'
import { digitsConfig, digitsUNet } from '@antipode/digits'
import { denoised, digitsModel, dpoSizes, type DpoTask, dpoTask, unetEighthConfig, unetEighthGolden } from '../models/index.ts'
import { relativeError, samples } from '../reference/index.ts'
import type { Input, Work, Workload } from '../workload.ts'
import { normals } from './normals.ts'

/** A step of sampling 64 digits, held to float64 on two of them: images do not meet in a UNet. */
export function digitsStep(): Workload {
  const [batch, pixels] = [64, 256]
  return {
    id: 'digits-step', kind: 'digitsStep', group: 'models of ours', title: `digits UNet, one denoising step, batch ${batch}`,
    work: { amount: batch * flopsPerImage(digitsConfig('digits-16')), unit: 'FLOP' }, tolerance: 2e-5,
    make() {
      const x = normals('digits-step')([batch, 1, 16, 16])
      return {
        inputs: { x },
        async error([y = new Float32Array()]) {
          // Labels count up from 0, so the first images keep theirs.
          const some = 2
          const host = new FakeHost()
          const [want = new Float64Array()] = interpret([denoised(await digitsModel(host), tensor(host, x.data.subarray(0, some * pixels), [some, 1, 16, 16]))])
          return y.length === x.data.length ? relativeError(y, (i) => want[i] ?? Number.NaN, samples(some * pixels, some * pixels)) : Infinity
        },
      }
    },
  }
}

const dpoInputs = (): Record<string, Input> => {
  const normal = normals('digits-dpo')
  const shape = [64, 1, 16, 16]
  return { chosen: normal(shape, 0.7), rejected: normal(shape, 0.7) }
}

/** A step of Diffusion-DPO on a LoRA adapter, as the main job takes it: its first loss, gradient norm and error, held to float64. */
export function digitsDpo(): Workload {
  return {
    id: 'digits-dpo', kind: 'digitsDpo', group: 'models of ours',
    title: `digits UNet, one DPO step, ${dpoSizes.batch} pairs, LoRA of rank ${dpoSizes.rank}`,
    get work(): Work {
      // The weights do not matter to the count.
      const { value, grads } = dpoGraph(dpoTask(digitsUNet(new FakeHost(), 'digits-16', { seed: 0 }), dpoInputs()))
      return { amount: flopsOf(value, ...grads), unit: 'FLOP' }
    },
    tolerance: 5e-4,
    make() {
      const inputs = dpoInputs()
      return { inputs, error: ([reported = new Float32Array()]) => dpoError(inputs, reported) }
    },
  }
}

/** Loss, mean error and gradients of the first batch. */
function dpoGraph({ parameters, batch, loss }: DpoTask): { readonly value: Tensor; readonly error: Tensor; readonly grads: readonly Tensor[] } {
  const { loss: value, metrics } = loss(batch(0))
  return { value, error: metrics['error'] ?? value, grads: gradients(value, [...parameters.values()]) }
}

async function dpoError(inputs: Record<string, Input>, reported: Float32Array): Promise<number> {
  const graph = dpoGraph(dpoTask(await digitsModel(new FakeHost()), inputs))
  const [total, error, ...grads] = interpret([graph.value, graph.error, ...graph.grads])
  const norm = Math.sqrt(grads.reduce((sum, g) => sum + g.reduce((s, v) => s + v * v, 0), 0))
  const want = [total?.[0] ?? Number.NaN, norm, error?.[0] ?? Number.NaN]
  const off = Math.max(...want.map((v, i) => Math.abs((reported[i] ?? Number.NaN) - v) / v))
  return Number.isNaN(off) ? Infinity : off
}

/** Stable Diffusion 1.5's UNet at an eighth of its width, held to entries that {@link interpret} computed in float64. */
export function unetEighth(): Workload {
  return {
    id: 'unet-eighth', kind: 'unetEighth', group: 'models of ours', title: 'SD 1.5 UNet at an eighth of its width, 64×64 latents, 77 tokens',
    work: { amount: flopsPerImage(unetEighthConfig), unit: 'FLOP' }, tolerance: 5e-5,
    make: () => ({
      inputs: {},
      error([y = new Float32Array()]) {
        const entries = samples(4 * 64 * 64, unetEighthGolden.length)
        const byEntry = new Map(entries.map((entry, i) => [entry, unetEighthGolden[i] ?? Number.NaN]))
        return y.length === 4 * 64 * 64 ? relativeError(y, (i) => byEntry.get(i) ?? Number.NaN, entries) : Infinity
      },
    }),
  }
}
