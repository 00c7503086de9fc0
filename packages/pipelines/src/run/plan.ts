import { type Device, type Tensor, zeros } from '@antipode/core'
import type { Tiling } from '@antipode/models'
import type { GenerateOptions, PreparedOptions } from '../request/index.ts'
import { callOf } from './call.ts'
import { fittingTiles } from './decode.ts'
import { denoiserOf, withBeside } from './denoiser.ts'
import { type Conditions, type Family, tensorsOf } from './family.ts'
import { ImagePrompts } from './image-prompt.ts'
import { inputChannels } from './start.ts'

/** Bytes of the GPU that a run takes. */
export interface MemoryPlan {
  /** Of the models' weights, adapters left out. */
  readonly weights: number
  /** Beside them at once, while prompts are encoded. */
  readonly prompts: number
  /** While a step is made. */
  readonly step: number
  /** While an image is decoded, and in which tiles; false for none. */
  readonly decode: number
  readonly tiling: boolean | Tiling
  /** Of weights and the largest of the three. */
  readonly peak: number
}

/** What a run would take, by planning its graphs: nothing is computed, and no memory is taken. */
export function planOf<O extends GenerateOptions>(
  device: Device,
  family: Family<O>,
  options: O & PreparedOptions,
): MemoryPlan {
  const { unet, vae } = family.components
  const { request, conditions, guidance, channels } = callOf(family, options, new ImagePrompts(unet))
  const { rows, height, width } = request
  const [h, w] = [height / vae.scale, width / vae.scale]
  const latents = zeros(device, [rows, channels, h, w])
  const beside = inputChannels(unet) === channels ? undefined : zeros(device, [rows, channels + 1, h, w])
  const told: Conditions = {
    positive: empty(conditions.positive),
    negative: conditions.negative && empty(conditions.negative),
  }
  const denoise = denoiserOf(unet, told, beside, guidance)
  const condition = withBeside(told.positive, beside)
  const timesteps = zeros(device, [rows])
  const somewhere = { step: 0, steps: 1, sigma: 1, nextSigma: 0, state: {} }
  const prediction =
    typeof denoise === 'function'
      ? denoise(latents, timesteps, condition)
      : denoise.call(latents, timesteps, condition, somewhere).prediction
  const decoded = fittingTiles(device, vae, latents)
  const weights = family.models.reduce((sum, model) => sum + model.parameters().reduce((n, t) => n + bytesOf(t), 0), 0)
  const [prompts, step] = [device.plan(...tensorsOf(conditions)).peakBytes, device.plan(prediction).peakBytes]
  return {
    weights,
    prompts,
    step,
    decode: decoded.peakBytes,
    tiling: decoded.tiling,
    peak: weights + Math.max(prompts, step, decoded.peakBytes),
  }
}

/** Conditions of the same shapes, which take no memory. */
function empty(condition: Conditions['positive']): Conditions['positive'] {
  const entries = Object.entries(condition) as [string, Tensor][]
  return Object.fromEntries(entries.map(([name, { device, shape, dtype }]) => [name, zeros(device, shape, { dtype })]))
}

const bytesOf = ({ size, dtype }: Tensor): number => size * (dtype === 'f16' || dtype === 'bf16' ? 2 : 4)
