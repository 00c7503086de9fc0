import { storedBytes, type Tensor, zeros } from '@antipode/core'
import { adapterNames, adapterParameters, type Module } from '@antipode/core/nn'
import { type FittingTiling, type Planner, type Tiling, type TilingCost, tilingCosts } from '@antipode/models'
import type { GenerateOptions, PreparedOptions } from '../request/index.ts'
import { type Call, callOf } from './call.ts'
import { bindingLimits } from './decode.ts'
import { denoiserOf, sameWeights, withBeside } from './denoiser.ts'
import { type Conditions, type Family, tensorsOf } from './family.ts'
import type { ImagePrompts } from './image-prompt.ts'
import type { Costs, MemoryChoices } from '../memory/index.ts'
import { inputChannels } from './start.ts'

/** Latents that a run holds beside those of a step: of its start, and what solvers remember. */
const heldLatents = 16
/** An image as it is decoded, in [0, 1], and in bytes. */
const heldImages = 3

/** Bytes that the parts of a run take, by planning their graphs: nothing is computed, and no memory is taken. */
export class Measures implements Costs {
  readonly #device: Planner
  readonly #family: Family<GenerateOptions>
  readonly #image: Tensor | undefined
  readonly #tiling: boolean | Tiling | undefined
  readonly #known = new Map<string, number>()
  readonly #tilings: TilingCost[] = []
  readonly #more: Iterator<TilingCost, void>
  readonly call: Call
  /** Of the weights of each model. */
  readonly models: ReadonlyMap<string, number>
  /** Of adapters, image prompts and learned words, which never leave. */
  readonly adapters: number

  readonly dtype: string

  /** @param dtype what the UNet's weights are kept in */
  constructor(
    device: Planner,
    family: Family<GenerateOptions>,
    images: ImagePrompts,
    options: GenerateOptions & PreparedOptions,
    dtype: string,
  ) {
    this.dtype = dtype
    this.#device = device
    this.#family = family
    this.#image = options.image
    this.#tiling = options.tiling
    this.call = callOf(family, options, images)
    const models = Object.entries(family.models)
    this.models = new Map(models.map(([name, model]) => [name, bytesOf(model.parameters())]))
    const [, ...sides] = this.#latents(1).shape as readonly [number, number, number, number]
    this.#more = tilingCosts(device, family.components.vae, [1, ...sides])
    const added = bytesOf([...images.parameters(), ...family.words.parameters()])
    this.adapters = models.reduce((sum, [, model]) => sum + adapterBytes(model), added)
  }

  get canJoin(): boolean {
    const { conditions, guidance: { positive, negative } } = this.call
    return conditions.negative !== undefined && sameWeights(positive, negative)
  }

  /** Of what is there from the prompts on. */
  get held(): number {
    const { conditions, request: { rows, height, width } } = this.call
    const images = rows > 1 || this.#image ? 2 * 4 * rows * 3 * height * width : 0
    return bytesOf(tensorsOf(conditions)) + heldLatents * bytesOf([this.#latents(rows)]) + images
  }

  prompts(): number {
    return this.#once('prompts', () => this.#device.plan(...tensorsOf(this.call.conditions)).peakBytes)
  }

  /** 0 where no image is encoded. */
  start(): number {
    const [image, { vae }] = [this.#image, this.#family.components]
    if (!image || image.shape[1] !== (vae.config.in_channels ?? 3)) return 0
    return this.#once('start', () => this.#device.plan(vae.encode(zeros(this.#device, image.shape)).mean).peakBytes)
  }

  step(branches: MemoryChoices['branches']): number {
    return this.#once(branches, () => {
      const { unet } = this.#family.components
      const { conditions, guidance, channels, request: { rows } } = this.call
      const latents = this.#latents(rows)
      const [, , h = 1, w = 1] = latents.shape
      const beside = inputChannels(unet) === channels ? undefined : zeros(this.#device, [rows, channels + 1, h, w])
      const told = { positive: empty(conditions.positive), negative: conditions.negative && empty(conditions.negative) }
      const denoise = denoiserOf(unet, told, beside, { ...guidance, branches })
      const [condition, timesteps] = [withBeside(told.positive, beside), zeros(this.#device, [rows])]
      const somewhere = { step: 0, steps: 1, sigma: 1, nextSigma: 0, state: {} }
      const prediction =
        typeof denoise === 'function'
          ? denoise(latents, timesteps, condition)
          : denoise.call(latents, timesteps, condition, somewhere).prediction
      return this.#device.plan(prediction).peakBytes
    })
  }

  /** Ways to decode an image: as it is asked for, or whole and then in ever smaller tiles, if the device can bind that. */
  *decodings(): Generator<FittingTiling, void> {
    const { vae } = this.#family.components
    const tiling = this.#tiling
    const latents = this.#latents(1)
    if (tiling !== undefined) {
      const measure = (): number => this.#device.plan(vae.decode(latents, { tiling })).peakBytes
      yield { tiling, peakBytes: this.#once('decode', measure) }
      return
    }
    const { bindingBytes = Infinity } = bindingLimits(this.#device)
    for (let k = 0; ; k++) {
      const known = this.#tilings[k] ?? this.#more.next().value
      if (!known) return
      this.#tilings[k] = known
      if (known.largest <= bindingBytes) yield known
    }
  }

  /** What holds an image in the end. */
  get image(): number {
    const { request: { height, width } } = this.call
    return heldImages * 4 * 3 * height * width
  }

  #latents(rows: number): Tensor {
    const { request: { height, width }, channels } = this.call
    const { scale } = this.#family.components.vae
    return zeros(this.#device, [rows, channels, height / scale, width / scale])
  }

  #once(name: string, measure: () => number): number {
    const bytes = this.#known.get(name) ?? measure()
    this.#known.set(name, bytes)
    return bytes
  }
}

/** Conditions of the same shapes, which take no memory. */
function empty(condition: Conditions['positive']): Conditions['positive'] {
  const entries = Object.entries(condition) as [string, Tensor][]
  return Object.fromEntries(entries.map(([name, { device, shape, dtype }]) => [name, zeros(device, shape, { dtype })]))
}

function bytesOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, t) => sum + storedBytes(t), 0)
}

function adapterBytes(model: Module): number {
  return adapterNames(model).reduce((sum, name) => sum + bytesOf([...adapterParameters(model, name).values()]), 0)
}
