import { concat, upsampleNearest2d } from '../functional/index.ts'
import { gradients } from '../autograd/index.ts'
import { type Tensor, tensor, type Backend } from '../graph/index.ts'
import { Conv2d, GroupNorm, type Initialiser, Module, randomParameters } from '../nn/index.ts'
import { adamw } from '../optim/index.ts'
import { noise } from './compare.ts'

/** A denoiser in miniature: down, up, and a skip beside them. x `[B,1,H,W]` -> the same shape. */
class TinyUNet extends Module {
  readonly convIn: Conv2d
  readonly norm: GroupNorm
  readonly down: Conv2d
  readonly out: Conv2d

  constructor(init: Initialiser) {
    super()
    this.convIn = Conv2d.of(init, 1, 4, 3, { padding: 1 })
    this.norm = GroupNorm.of(init, 2, 4)
    this.down = Conv2d.of(init, 4, 4, 3, { padding: 1, stride: 2 })
    this.out = Conv2d.of(init, 8, 1, 3, { padding: 1 })
  }

  forward(x: Tensor): Tensor {
    const skip = this.norm.forward(this.convIn.forward(x)).silu()
    return this.out.forward(concat([skip, upsampleNearest2d(this.down.forward(skip).silu())], 1))
  }
}

/** What {@link trainingStep} computes, by name, and a way to give everything back. */
export interface TrainingStep extends Disposable {
  /** Predictions before the step, the loss, every parameter after the step, and the loss after it. */
  readonly outputs: ReadonlyMap<string, Tensor>
}

/** One step of a small network under AdamW, the same on every host: what all adapters must agree on. Nothing is computed yet. */
export function trainingStep(host: Backend): TrainingStep {
  const net = new TinyUNet(randomParameters(host, { seed: 7 }))
  const [x, target] = [tensor(host, noise(72, 1), [2, 1, 6, 6]), tensor(host, noise(72, 2), [2, 1, 6, 6])]
  const lossOf = (y: Tensor): Tensor => y.sub(target).square().mean()
  const params = net.state()
  const prediction = net.forward(x)
  const loss = lossOf(prediction)
  // Of this ε, steps are smooth in the gradients: with the usual one, rounding decides the direction where they are nearly 0.
  const optimizer = adamw({ lr: 0.05, eps: 1e-3 })
  const updates = optimizer.update(params, gradients(loss, [...params.values()]))
  const names = [...params.keys()]
  const updated = new Map(updates.map((t, k) => [names[k] ?? '', t]))
  const outputs = new Map([
    ['prediction', prediction], ['loss', loss], ...updated, ['loss after', lossOf(net.withParameters(updated).forward(x))],
  ])
  return {
    outputs,
    [Symbol.dispose]() {
      for (const t of [...outputs.values(), ...params.values(), x, target]) t.dispose()
      optimizer[Symbol.dispose]()
    },
  }
}
