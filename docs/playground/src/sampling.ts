import { constant, type Device, randn, type Tensor } from '@antipode/core'
import { cfg, type Denoiser, offsets, sample, type SampleStep } from '@antipode/npo'
import { dpmSolverMultistep } from '@antipode/schedulers'
import { type Arm, arms, type ArmId } from './arms.ts'
import type { PlaygroundModel } from './model.ts'
import type { Settings } from './settings.ts'

/** What both arms estimate the clean images to be after a step. */
export interface Frame {
  /** Steps done; 0 is the noise that both start from. */
  readonly step: number
  readonly timestep: number | undefined
  /** `[N, side, side]` of the left and the right arm. */
  readonly images: readonly [Float32Array, Float32Array]
  /** Milliseconds each arm took for this step. */
  readonly time: readonly [number, number]
}

/** The class that stands for none. */
const noDigit = 10
/** The schedule the digits models are trained on, and estimates of the clean image held where training never goes beyond. */
const scheduler = dpmSolverMultistep({ numTrainTimesteps: 1000, betaStart: 1e-4, betaEnd: 0.02, betaSchedule: 'linear', timestepSpacing: 'trailing' })
const pixelLimit = 1.5

/** The denoiser of an arm. */
export function denoiserOf({ unet }: PlaygroundModel, id: ArmId, { w, alpha, beta }: Pick<Settings, 'w' | 'alpha' | 'beta'>): Denoiser<Tensor> {
  const arm: Arm = arms[id]
  const branch = (weights: Readonly<Record<string, number>>): Denoiser<Tensor> => {
    const model = unet.with(offsets(weights))
    return (x, t, classLabels) => model.forward(x, t, { classLabels })
  }
  return cfg<Tensor>({
    positive: branch(arm.positive),
    negative: branch(arm.negative({ alpha, beta })),
    scale: arm.guided ? w : 1,
    unconditional: (labels) => labelTensor(labels.device, new Int32Array(labels.size).fill(noDigit)),
  })
}

/** Runs both arms in step from the same noise, left then right, so that each one's time is its own. */
export async function* sampleArms(
  device: Device, model: PlaygroundModel, settings: Settings, labels: Int32Array, signal: AbortSignal,
): AsyncGenerator<Frame, void, void> {
  const { steps, seed, left, right } = settings
  const noise = randn(device, [labels.length, 1, model.side, model.side], { seed })
  // Dimmed to the range of a picture: none of it is over-guidance.
  const start = (await pixels(noise)).map((value) => 0.4 * value)
  yield { step: 0, timestep: undefined, images: [start, start], time: [0, 0] }
  const run = (id: ArmId): AsyncGenerator<SampleStep, void, void> =>
    sample(denoiserOf(model, id, settings), scheduler, noise, labelTensor(device, labels), {
      steps, signal, preview: true, x0: (x) => x.clamp(-pixelLimit, pixelLimit),
    })
  const runs = [run(left), run(right)] as const
  try {
    for (let step = 1; step <= steps; step++) {
      const a = await advance(runs[0])
      const b = await advance(runs[1])
      if (!a || !b) return
      yield { step, timestep: a.timestep, images: [a.images, b.images], time: [a.time, b.time] }
    }
  } finally {
    for (const one of runs) await one.return()
    noise.dispose()
  }
}

async function advance(run: AsyncGenerator<SampleStep, void, void>): Promise<{ images: Float32Array; timestep: number; time: number } | undefined> {
  const begun = performance.now()
  const { value } = await run.next()
  if (!value?.x0) return undefined
  const images = await pixels(value.x0)
  // The result of the last step is the caller's.
  if (value.index === value.steps - 1) value.sample.dispose()
  return { images, timestep: value.timestep, time: performance.now() - begun }
}

/** Images are f32, so their elements are a Float32Array. */
async function pixels(t: Tensor): Promise<Float32Array> {
  return await t.data() as Float32Array
}

function labelTensor(device: Tensor['device'], labels: Int32Array): Tensor {
  return constant(device, labels, [labels.length], { dtype: 'i32' })
}
