import { type Tensor, tensor, type Backend } from '@antipode/core'
import { randomParameters } from '@antipode/core/nn'
import { adamw } from '@antipode/core/optim'
import { rng } from '@antipode/core/random'
import { type Digits, type LabelledImages, labelsOf, movingDigits, schedule } from '@antipode/digits'
import type { UNet2DConditionModel } from '@antipode/models'
import { denoising, type Denoiser, drawNoise, type SampleBatch, train, type TrainStep } from '@antipode/npo'
import { inflate, TemporalAttention } from '@antipode/video'

/** What temporal blocks on the frozen image model learn from moving digits. */
export interface MotionResult {
  readonly curve: readonly TrainStep[]
  /** Denoising loss on held-out clips, before and after; before is the image model's, frame by frame. */
  readonly before: number
  readonly after: number
}

const frames = 8

/** Inflates the image model to video and trains only its temporal attention, for a few steps, on clips of moving digits. */
export async function trainMotion(
  device: Backend,
  unet: UNet2DConditionModel,
  { splits, size }: Digits,
  { steps, seed, signal, onStep }: { readonly steps: number; readonly seed: number; readonly signal: AbortSignal; readonly onStep: (s: TrainStep) => void },
): Promise<MotionResult> {
  const objective = denoising<Tensor>()
  const batchOf = (source: LabelledImages, count: number, step: number): SampleBatch<Tensor> => {
    const { clips, labels } = movingDigits(source, { count, frames, generator: rng(seed, { stream: step + 1 }) })
    const samples = tensor(device, clips, [count, 1, frames, size, size])
    return { samples, condition: labelsOf(device, labels), ...drawNoise(device, schedule, samples.shape, { seed, step }) }
  }
  const video = inflate(unet, (init, { channels, endsPair }) =>
    endsPair ? new TemporalAttention(init, { channels, heads: channels / 16, groups: 8 }) : undefined, { init: randomParameters(device, { seed, dtype: unet.dtype }) })
  using temporal = video.temporal
  const model: Denoiser<Tensor> = (x, t, classLabels) => video.forward(x, t, { classLabels })
  const held = batchOf(splits.judge, 16, 1_000_000)
  using samples = held.samples
  const heldLoss = async (): Promise<number> => {
    using value = objective.evaluate({ model }, { ...held, samples }).loss
    return await value.item()
  }
  const before = await heldLoss()
  using optimizer = adamw({ lr: 3e-3 })
  const curve: TrainStep[] = []
  for await (const step of train<SampleBatch<Tensor>>({
    parameters: temporal.state(),
    optimizer,
    clipNorm: 1,
    steps,
    batch: (index) => batchOf(splits.train, 2, index),
    loss: (batch) => objective.evaluate({ model }, batch),
    compile: true,
    release: (batch) => { batch.samples.dispose() },
    signal,
  })) {
    curve.push(step)
    onStep(step)
  }
  return { curve, before, after: await heldLoss() }
}
