import { constant, Device, evaluate, gradients, type Tensor, tensor } from '@antipode/core'
import { readSafetensors, type SafetensorsFile } from '@antipode/core/io'
import { adapterParameters, placeholders, setAdapter } from '@antipode/core/nn'
import { openCheckpoint, type UNet2DCondition, UNet2DConditionModel, type UNet2DConfig } from '@antipode/models'
import { type Denoiser, diffusionDpo, type PairBatch } from '@antipode/npo'
import { ddpm, trainingLevel } from '@antipode/schedulers'

/** What is trained for a step, and what it is compared with. */
export interface FullSizeStep {
  readonly model: string
  readonly golden: string
  readonly dtype: 'f16' | 'f32'
  readonly log: (line: string) => void
}

export interface FullSizeStepResult {
  readonly loss: number
  readonly wantedLoss: number
  /** Root of the mean squared difference of all gradients from the reference's, over the root mean square of those. */
  readonly gradientGap: number
  readonly seconds: number
  /** Of the reference, on the CPU. */
  readonly referenceSeconds: number
  /** Bytes of the GPU at most, and of this process. */
  readonly peakBytes: number
  readonly residentBytes: number
  readonly equal: boolean
}

/**
 * Of the loss, and of the gradients as a share of their size. Measured at 128² on lavapipe: 6e-5 and 1.8e-4 in f32,
 * 1.4e-2
 * and 4.3e-2 in f16, where β/2 = 1000 magnifies what rounding makes of a difference of errors.
 */
const bounds = { f16: { loss: 2e-2, gradients: 1e-1 }, f32: { loss: 1e-4, gradients: 1e-3 } } as const

/** Loss and gradients of one step of Diffusion-DPO with an adapter of every attention, held to torch's. */
export async function compareStep({ model, golden, dtype, log }: FullSizeStep): Promise<FullSizeStepResult> {
  await using device = await Device.request()
  await using file = await readSafetensors(golden)
  const unet = await loadUNet(device, model, dtype)
  const adapter = new Map<string, Tensor>()
  for (const name of file.tensors.keys()) if (name.startsWith('adapter.')) adapter.set(name.slice(8), await read(device, file, name))
  setAdapter(unet, 'eta', adapter)
  log(`loaded: ${(device.memory().live / 2 ** 30).toFixed(2)} GiB`)
  const batch = await batchOf(device, file)
  const begin = performance.now()
  const networks = { model: denoiser(unet.with({ eta: 1 })), reference: denoiser(unet.with({})) }
  const { loss } = diffusionDpo<UNet2DCondition>({ beta: numberIn(file, 'beta') }).evaluate(networks, batch)
  const parameters = adapterParameters(unet, 'eta')
  const grads = gradients(loss, [...parameters.values()])
  await evaluate(loss, ...grads)
  const value = await loss.item()
  const seconds = (performance.now() - begin) / 1000
  let [gap, size] = [0, 0]
  for (const [i, name] of [...parameters.keys()].entries()) {
    const [got, want] = [await grads[i]!.data(), await file.readFloat32(`gradient.${name}`)]
    for (let k = 0; k < want.length; k++) {
      gap += (got[k]! - want[k]!) ** 2
      size += want[k]! ** 2
    }
  }
  const [wantedLoss, gradientGap, bound] = [numberIn(file, 'loss'), Math.sqrt(gap / size), bounds[dtype]]
  return {
    loss: value, wantedLoss, gradientGap, seconds, referenceSeconds: numberIn(file, 'seconds'), peakBytes: device.memory().peak,
    residentBytes: process.resourceUsage().maxRSS * 1024,
    equal: Math.abs(value - wantedLoss) < bound.loss && gradientGap < bound.gradients,
  }
}

/** The UNet of a checkpoint, computing in a dtype. */
export async function loadUNet(device: Device, model: string, dtype: 'f16' | 'f32'): Promise<UNet2DConditionModel> {
  await using checkpoint = await openCheckpoint(model)
  const { config, weights } = checkpoint.component('unet')
  const unet = new UNet2DConditionModel(placeholders(device, { dtype }), config as UNet2DConfig)
  await unet.load(await weights())
  return unet
}

async function batchOf(device: Device, file: SafetensorsFile): Promise<PairBatch<UNet2DCondition>> {
  const timestep = numberIn(file, 'timestep')
  const { schedule } = ddpm({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 })
  const { signal, noise } = trainingLevel(schedule, timestep)
  const level = (value: number): Tensor => constant(device, [value], [1, 1, 1, 1])
  return {
    predictionType: 'epsilon', timesteps: constant(device, [timestep]), alpha: level(signal), sigma: level(noise),
    noise: await read(device, file, 'noise'), chosen: await read(device, file, 'chosen'), rejected: await read(device, file, 'rejected'),
    condition: { context: await read(device, file, 'context') },
  }
}

function denoiser(unet: UNet2DConditionModel): Denoiser<UNet2DCondition> {
  return (x, timesteps, condition) => unet.forward(x, timesteps, condition, { checkpoint: true })
}

/** A tensor of a file. */
export async function read(device: Device, file: SafetensorsFile, name: string): Promise<Tensor> {
  return tensor(device, await file.readFloat32(name), file.tensors.get(name)?.shape ?? [])
}

/** A number that the reference wrote into the header. */
function numberIn(file: SafetensorsFile, name: string): number {
  return Number(file.metadata[name])
}
