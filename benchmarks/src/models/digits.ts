import { readFile } from 'node:fs/promises'
import { constant, embedding, type Tensor, tensor, type Backend } from '@antipode/core'
import { adapterParameters, addAdapter, lora } from '@antipode/core/nn'
import { philoxNormal, rng } from '@antipode/core/random'
import { loadModel, type UNet2DConditionModel } from '@antipode/models'
import { digitsBase, digitsDenoiser, digitsLoraTargets, labelsOf, schedule, solver } from '@antipode/digits'
import { diffusionDpo, drawNoise, type LossAndMetrics, offsets, type PairBatch, tensorLinear } from '@antipode/npo'
import { currentTimestep } from '@antipode/schedulers'
import type { Input } from '../workload.ts'

/** The digits model that comes with the models package. */
export async function digitsModel(host: Backend): Promise<UNet2DConditionModel> {
  return loadModel(host, new Uint8Array(await readFile(digitsBase['digits-16']?.weights ?? '')), { dtype: 'f32' })
}

/** The fourth of ten steps of sampling: the model's prediction and the solver's update of x `[B,1,16,16]`. */
export function denoised(unet: UNet2DConditionModel, x: Tensor): Tensor {
  const state = solver.begin<Tensor>(10, 3)
  const batch = x.shape[0] ?? 0
  const timesteps = constant(x.device, new Float32Array(batch).fill(currentTimestep(state)))
  const labels = labelsOf(x.device, Int32Array.from({ length: batch }, (_, i) => i % 10))
  return solver.step(tensorLinear, state, digitsDenoiser(unet)(x, timesteps, labels), x).sample
}

/** Sizes of the main job's preference training, and how far its adapter is from doing nothing. */
export const dpoSizes = { batch: 48, rank: 8, beta: 2000, spread: 0.02 } as const

/** What a training run of the main job is made of, at a point where the tuned model has left the base. */
export interface DpoTask {
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly batch: (step: number) => PairBatch<Tensor>
  readonly loss: (batch: PairBatch<Tensor>) => LossAndMetrics
}

/** Preference training of a LoRA adapter on pairs of images `[N,1,16,16]`, as `antipode demo` does it, on any host. */
export function dpoTask(unet: UNet2DConditionModel, inputs: Readonly<Record<string, Input>>): DpoTask {
  const { batch, rank, beta, spread } = dpoSizes
  const host = unet.device
  addAdapter(unet, 'eta', lora({ rank, targets: digitsLoraTargets, seed: 1 }))
  const parameters = adapterParameters(unet, 'eta')
  // A fresh adapter changes nothing, and half of its gradients are zero: too easy to get right.
  let stream = 0
  for (const t of parameters.values()) t.write(philoxNormal(t.size, { seed: 2, stream: stream++ }).map((v) => v * spread))
  const pairs = ['chosen', 'rejected'].map((name) => tensor(host, inputs[name]?.data ?? [], inputs[name]?.shape ?? []))
  const [chosen, rejected] = pairs as [Tensor, Tensor]
  const count = chosen.shape[0] ?? 0
  const networks = { model: digitsDenoiser(unet.with(offsets({ eta: 1 }))), reference: digitsDenoiser(unet.with({})) }
  const objective = diffusionDpo<Tensor>({ beta })
  return {
    parameters,
    batch: (step) => {
      const random = rng(1, { stream: step + 1 })
      const picked = Int32Array.from({ length: batch }, () => random.int(count))
      const rows = constant(host, picked, [batch], { dtype: 'i32' })
      return {
        ...drawNoise(host, schedule, [batch, ...chosen.shape.slice(1)], { seed: 1, step }),
        chosen: embedding(chosen, rows), rejected: embedding(rejected, rows),
        condition: labelsOf(host, picked.map((i) => i % 10)),
      }
    },
    loss: (pairs) => objective.evaluate(networks, pairs),
  }
}
