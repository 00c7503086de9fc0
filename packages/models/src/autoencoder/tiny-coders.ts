import { type Tensor, upsampleNearest2d } from '@antipode/core'
import { Conv2d, GroupNorm, type Initialiser, type Layer, Module } from '@antipode/core/nn'
import type { ResolvedAutoencoderTinyConfig } from './tiny-config.ts'

type Activation = ResolvedAutoencoderTinyConfig['activation']

/** How many times as wide the branch with a norm is, and groups of the norm. */
const poolWidth = 4
const poolGroups = 4

const conv = (init: Initialiser, from: number, to: number): Layer => Conv2d.of(init, from, to, 3, { padding: 1 })

/** What stands between two levels. */
const between = (init: Initialiser, width: number, stride: number): Layer =>
  Conv2d.of(init, width, width, 3, { padding: 1, stride, bias: false })

/** An activation, in a place among layers. */
class Activated extends Module {
  readonly kind: Activation

  constructor(kind: Activation) {
    super()
    this.kind = kind
  }

  forward(x: Tensor): Tensor {
    return x[this.kind]()
  }
}

/** Enlargement by repetition, in a place among layers. */
class Upsampled extends Module {
  readonly factor: number

  constructor(factor: number) {
    super()
    this.factor = factor
  }

  forward(x: Tensor): Tensor {
    return upsampleNearest2d(x, this.factor)
  }
}

/** Three convolutions with activations between them beside a shortcut, and a ReLU at the end. */
class TinyBlock extends Module {
  readonly conv: readonly Layer[]
  /** A branch before them in which the whole image has a say, through a norm. */
  readonly pool: readonly Layer[] | undefined

  constructor(init: Initialiser, width: number, activation: Activation, pooled: boolean) {
    super()
    const [one, two, three] = [0, 1, 2].map(() => conv(init, width, width)) as [Layer, Layer, Layer]
    const activated = new Activated(activation)
    this.conv = [one, activated, two, activated, three]
    const wide = poolWidth * width
    this.pool = pooled ? [
      Conv2d.of(init, width, wide, 1, { bias: false }), GroupNorm.of(init, poolGroups, wide), new Activated('relu'),
      Conv2d.of(init, wide, width, 1, { bias: false }),
    ] : undefined
  }

  forward(x: Tensor): Tensor {
    const y = this.pool ? x.add(inTurn(this.pool, x)) : x
    return inTurn(this.conv, y).add(y).relu()
  }
}

/** Images `[B, in_channels, H, W]` in [−1, 1] to latents `[B, latent_channels, H/f, W/f]`. */
export class TinyEncoder extends Module {
  readonly layers: readonly Layer[]

  constructor(init: Initialiser, c: ResolvedAutoencoderTinyConfig) {
    super()
    const { width, blocks } = c.encoder
    this.layers = [
      ...blocks.flatMap((n, level) => [
        level === 0 ? conv(init, c.inChannels, width) : between(init, width, 2),
        ...blocksOf(init, c, { width, count: n, lowest: level === blocks.length - 1 }),
      ]),
      conv(init, width, c.latentChannels),
    ]
  }

  forward(x: Tensor): Tensor {
    return inTurn(this.layers, x.add(1).div(2))
  }
}

/** Latents `[B, latent_channels, h, w]` to images `[B, out_channels, h·f, w·f]`, about in [−1, 1]. */
export class TinyDecoder extends Module {
  readonly layers: readonly Layer[]

  constructor(init: Initialiser, c: ResolvedAutoencoderTinyConfig) {
    super()
    const { width, blocks } = c.decoder
    const last = blocks.length - 1
    this.layers = [
      conv(init, c.latentChannels, width),
      new Activated(c.activation),
      ...blocks.flatMap((n, level) => [
        ...blocksOf(init, c, { width, count: n, lowest: level === 0 }),
        ...(level === last
          ? [conv(init, width, c.outChannels)]
          : [new Upsampled(c.upsampling), between(init, width, 1)]),
      ]),
    ]
  }

  forward(z: Tensor): Tensor {
    return inTurn(this.layers, z.div(3).tanh().mul(3)).mul(2).sub(1)
  }
}

/** The blocks of one level. */
function blocksOf(
  init: Initialiser,
  { activation, midblockNorm }: ResolvedAutoencoderTinyConfig,
  { width, count, lowest }: { readonly width: number; readonly count: number; readonly lowest: boolean },
): TinyBlock[] {
  return Array.from({ length: count }, () => new TinyBlock(init, width, activation, midblockNorm && lowest))
}

function inTurn(layers: readonly Layer[], x: Tensor): Tensor {
  return layers.reduce((h, layer) => layer.forward(h), x)
}
