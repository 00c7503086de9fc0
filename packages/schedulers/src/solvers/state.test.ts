import { expect, test } from 'vitest'
import {
  currentTimestep,
  ddim,
  ddpm,
  dpmSolverMultistep,
  euler,
  float32Linear,
  isDone,
  SchedulerError,
  type Linear,
  type Scheduler,
  type SchedulerState,
  type StepHooks,
} from '../index.ts'
import { testModel, torchNormals } from '../testing/index.ts'

const runs: Readonly<Record<string, Scheduler>> = {
  ddpm: ddpm(),
  'ddim with noise': ddim({ eta: 0.5 }),
  'euler on Karras levels': euler({ useKarrasSigmas: true }),
  'third-order dpmSolverMultistep': dpmSolverMultistep({ solverOrder: 3 }),
  'stochastic dpmSolverMultistep': dpmSolverMultistep({ algorithmType: 'sde-dpmsolver++', useBetaSigmas: true }),
}
const start = torchNormals(7)(16)

function oneStep(
  scheduler: Scheduler,
  state: SchedulerState<Float32Array>,
  x: Float32Array,
): { state: SchedulerState<Float32Array>; sample: Float32Array } {
  const input = x.map((value) => value * scheduler.inputScale(state))
  const noise = scheduler.needsNoise(state) ? torchNormals(100 + state.step)(16) : undefined
  return scheduler.step(float32Linear, state, testModel(input, currentTimestep(state)), x, noise)
}

test('the history holds no more outputs than the order looks back on', () => {
  const scheduler = dpmSolverMultistep({ solverOrder: 3 })
  let [state, x] = [scheduler.begin<Float32Array>(6), start]
  const lengths: number[] = []
  while (!isDone(state)) {
    ;({ state, sample: x } = oneStep(scheduler, state, x))
    lengths.push(state.history.length)
  }
  expect(lengths).toEqual([1, 2, 2, 2, 2, 2])
})

test('a step after the last is refused', () => {
  for (const scheduler of Object.values(runs)) {
    const state = scheduler.begin<Float32Array>(3, 3)
    expect(() => scheduler.step(float32Linear, state, start, start, start)).toThrow(/run is over/)
    expect(() => scheduler.inputScale(state) * scheduler.level(state).noise).toThrow(SchedulerError)
    expect(() => currentTimestep(state)).toThrow(SchedulerError)
  }
})

test('a plan of another solver is refused', () => {
  const plan = ddim().timesteps(4)
  expect(() => euler().begin(plan)).toThrow(/expected a plan of euler, got one of 'ddim'/)
  expect(() => euler().initNoiseSigma(plan)).toThrow(SchedulerError)
  expect(() => ddpm().step(float32Linear, ddim().begin(4), start, start, start)).toThrow(/expected a plan of ddpm/)
})

test('a start outside the plan is refused', () => {
  for (const startAt of [-1, 5, 0.5]) expect(() => ddim().begin(4, startAt)).toThrow(/startAt from 0 to 4/)
})

test('a step that needs noise, a clamp or a threshold and gets none says so', () => {
  const state = ddpm().begin<Float32Array>(4)
  expect(() => ddpm().step(float32Linear, state, start, start)).toThrow(/expected unit normal noise/)
  const bare: Linear<Float32Array> = { combine: float32Linear.combine }
  expect(() => ddpm().step(bare, state, start, start, start)).toThrow(/expected linear.clamp/)
  const thresholded = ddpm({ thresholding: true })
  expect(() => thresholded.step(float32Linear, state, start, start, start)).toThrow(/expected hooks.x0/)
})

test('a model of ε is refused where no signal is left', () => {
  const options = { rescaleBetasZeroSnr: true, timestepSpacing: 'trailing' } as const
  const state = ddim(options).begin<Float32Array>(4)
  expect(() => ddim(options).step(float32Linear, state, start, start)).toThrow(/no signal is left/)
  const velocity = ddim({ ...options, predictionType: 'v_prediction' })
  expect(velocity.step(float32Linear, state, start, start).x0.every(Number.isFinite)).toBe(true)
})

test('tensors of unequal length are refused', () => {
  const state = euler().begin<Float32Array>(2)
  expect(() => euler().step(float32Linear, state, start.slice(1), start)).toThrow(/equal length, got 16 and 15/)
})

test('the hook on x₀ decides where the step goes, also for a solver that integrates ε', () => {
  const options = { algorithmType: 'dpmsolver', solverOrder: 1, finalSigmasType: 'sigma_min' } as const
  const zero: StepHooks<Float32Array> = { x0: (x0) => x0.map(() => 0) }
  for (const scheduler of [euler(), dpmSolverMultistep(), dpmSolverMultistep(options)]) {
    const state = scheduler.begin<Float32Array>(10)
    const { sample, x0 } = scheduler.step(float32Linear, state, start.map((x) => x / 3), start, undefined, zero)
    const next = scheduler.level({ ...state, step: 1 })
    // With x₀ = 0 the sample is all noise, and shrinks as the noise does.
    const ratio = next.noise / scheduler.level(state).noise
    expect(x0.every((x) => x === 0)).toBe(true)
    sample.forEach((x, i) => {
      expect(Math.abs(x - start[i]! * ratio)).toBeLessThan(2e-6)
    })
  }
})

test('DDIM derives ε anew from the clipped x₀ when told to', () => {
  const [x, epsilon] = [Float32Array.of(4), Float32Array.of(0.1)]
  const [kept, derived] = [false, true].map((useClippedModelOutput) => {
    const scheduler = ddim({ useClippedModelOutput })
    return scheduler.step(float32Linear, scheduler.begin(10), epsilon, x).sample[0]!
  })
  const { schedule } = ddim()
  const [here, next] = [schedule.alphasCumprod[900]!, schedule.alphasCumprod[800]!]
  const step = (noise: number): number => Math.sqrt(next) + Math.sqrt(1 - next) * noise
  expect(kept).toBeCloseTo(step(0.1), 5)
  expect(derived).toBeCloseTo(step((4 - Math.sqrt(here)) / Math.sqrt(1 - here)), 5)
})

test('DDPM variances have the point values of the reference', () => {
  // x₀ and the sample are 0, so the step is the noise times its standard deviation.
  const zero = Float32Array.of(0)
  const deviation = (timestep: number, varianceType: 'fixed_small' | 'fixed_small_log' | 'fixed_large'): number => {
    const scheduler = ddpm({ varianceType })
    const state = scheduler.begin<Float32Array>(1000, 999 - timestep)
    return scheduler.step(float32Linear, state, zero, zero, Float32Array.of(1)).sample[0]!
  }
  expect(deviation(487, 'fixed_small') ** 2).toBeCloseTo(0.00979, 5)
  expect(deviation(999, 'fixed_small') ** 2).toBeCloseTo(0.02, 5)
  expect(deviation(487, 'fixed_small_log')).toBe(deviation(487, 'fixed_small'))
  expect(deviation(487, 'fixed_large') ** 2 / ddpm().schedule.betas[487]!).toBeCloseTo(1, 4)
})
