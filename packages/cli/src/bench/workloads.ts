import { compile, conv2d, type Device, evaluate, gradients, randn, scaledDotProductAttention, type Tensor, tensor } from '@antipode/core'
import { adamw } from '@antipode/core/optim'
import { digitsDenoiser, digitsUNet, labelsOf, pixelLimit, schedule, solver, unconditional } from '@antipode/digits'
import { cfg, denoising, drawNoise, type SampleBatch, sampleToEnd, train } from '@antipode/npo'

/** What `antipode bench` can profile. */
export type WorkloadName = 'digits-train' | 'digits-sample' | 'matmul' | 'conv' | 'attention'

/** Work that is done round after round, the same each time. */
export interface Workload extends AsyncDisposable {
  /** What a round is, as "a training step of …". */
  readonly title: string
  round(): Promise<void>
}

/** Starts a workload of a size that suits the device. */
export const workloads: Readonly<Record<WorkloadName, (device: Device, signal: AbortSignal) => Workload>> = {
  'digits-train': (device, signal) => digitsTrain(device, { batch: 64, signal }),
  'digits-sample': (device, signal) => digitsSample(device, { batch: 40, steps: 5, signal }),
  matmul: (device) => {
    const size = device.adapter.software ? 512 : 2048
    return graph(device, `a product of ${size}×${size}×${size} and its gradients`, [[size, size], [size, size]], ([a, b]) => a.matmul(b))
  },
  conv: (device) => {
    const [batch, channels, side] = device.adapter.software ? [4, 64, 32] : [8, 320, 64]
    return graph(device, `a 3×3 convolution of ${batch}×${channels}×${side}×${side} to as many channels and its gradients`,
      [[batch, channels, side, side], [channels, channels, 3, 3]], ([x, w]) => conv2d(x, w, { padding: 1 }))
  },
  attention: (device) => {
    const [batch, heads, tokens, depth] = device.adapter.software ? [1, 8, 512, 40] : [2, 8, 4096, 64]
    const shape = [batch, heads, tokens, depth]
    return graph(device, `attention over ${tokens} tokens in ${batch}×${heads} heads of ${depth} and its gradients`, [shape, shape, shape],
      ([q, k, v]) => scaledDotProductAttention(q, k, v))
  },
}

/** A result and the gradients of its mean square, of random leaves. */
export function graph(device: Device, title: string, shapes: readonly (readonly number[])[], result: (leaves: readonly [Tensor, Tensor, Tensor]) => Tensor): Workload {
  const leaves = shapes.map((shape, seed) => randn(device, shape, { seed }))
  const ready = evaluate(...leaves)
  return {
    title,
    async round() {
      await ready
      // As many as the result takes.
      const y = result(leaves as [Tensor, Tensor, Tensor])
      const outputs = [y, ...gradients(y.square().mean(), leaves)]
      await evaluate(...outputs)
      for (const t of outputs) t.dispose()
    },
    async [Symbol.asyncDispose]() {
      await ready
      for (const t of leaves) t.dispose()
    },
  }
}

/** What `antipode train base` does in a step, on noise in place of digits. */
export function digitsTrain(device: Device, { batch, signal }: { readonly batch: number; readonly signal: AbortSignal }): Workload {
  const unet = digitsUNet(device, 'digits-16', { seed: 0 })
  const optimizer = adamw({ lr: 1e-3, weightDecay: 0.01 })
  const objective = denoising<Tensor>()
  const shape = [batch, 1, 16, 16]
  const pixels = Float32Array.from({ length: batch * 256 }, (_, i) => Math.sin(i))
  const steps = train<SampleBatch<Tensor>>({
    parameters: unet.state(),
    optimizer,
    clipNorm: 1,
    steps: Number.MAX_SAFE_INTEGER,
    batch: (step) => ({
      ...drawNoise(device, schedule, shape, { seed: 0, step }),
      samples: tensor(device, pixels, shape),
      condition: labelsOf(device, Int32Array.from({ length: batch }, (_, i) => i % 10)),
    }),
    loss: (given) => objective.evaluate({ model: digitsDenoiser(unet) }, given),
    compile: true,
    release: (given) => { given.samples.dispose() },
    signal,
  })
  return {
    title: `a training step of digits-16 on ${batch} images`,
    async round() { await steps.next() },
    async [Symbol.asyncDispose]() {
      await steps.return()
      optimizer[Symbol.dispose]()
      unet.dispose()
    },
  }
}

/** What the demo does to draw a batch: guidance between two branches, and DPM-Solver++. */
export function digitsSample(
  device: Device, { batch, steps, signal }: { readonly batch: number; readonly steps: number; readonly signal: AbortSignal },
): Workload {
  const unet = digitsUNet(device, 'digits-16', { seed: 0 })
  // Two functions of one model, as branches of other weights are: each is a pass of its own.
  const denoise = compile(cfg<Tensor>({ positive: digitsDenoiser(unet), negative: digitsDenoiser(unet), scale: 5, unconditional }))
  return {
    title: `${steps} guided sampling steps of digits-16 on ${batch} images`,
    async round() {
      const labels = labelsOf(device, Int32Array.from({ length: batch }, (_, i) => i % 10))
      using result = await sampleToEnd(denoise, solver, randn(device, [batch, 1, 16, 16], { seed: 0 }), labels, {
        steps, signal, x0: (x) => x.clamp(-pixelLimit, pixelLimit),
      })
      await result.data()
    },
    async [Symbol.asyncDispose]() { unet.dispose() },
  }
}
