import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  currentTimestep,
  ddim,
  ddpm,
  dpmSolverMultistep,
  euler,
  float32Linear,
  heun,
  isDone,
  type PredictionType,
  type Scheduler,
  type SchedulerState,
  uniPc,
} from '../index.ts'
import { testModel, torchNormals } from '../testing/index.ts'

const makers: Record<string, (options: object) => Scheduler> = { ddpm, ddim, euler, heun, dpmSolverMultistep, uniPc }
const clipped = new Set(['ddpm', 'ddim'])
const unclipped = (name: string): object => (clipped.has(name) ? { clipSample: false } : {})

type Denoise = (x: Float32Array, scheduler: Scheduler, state: SchedulerState<Float32Array>) => Float32Array

/** Runs from `sample` to the end with a model that may look at the state. */
function run(scheduler: Scheduler, steps: number, sample: Float32Array, denoise: Denoise): Float32Array {
  const normals = torchNormals(1)
  let state = scheduler.begin<Float32Array>(steps)
  let x = sample
  while (!isDone(state)) {
    const noise = scheduler.needsNoise(state) ? normals(16).slice(0, x.length) : undefined
    const result = scheduler.step(float32Linear, state, denoise(x, scheduler, state), x, noise)
    state = result.state
    x = result.sample
  }
  return x
}

/** ε, v or x₀ of a sample whose clean form and noise are known, on the scale a² + s² = 1 that models know. */
function truth(
  type: PredictionType,
  x0: Float32Array,
  noise: Float32Array,
  signal: number,
  spread: number,
): Float32Array {
  const size = Math.hypot(signal, spread)
  if (type === 'epsilon') return noise
  if (type === 'sample') return x0
  return float32Linear.combine([
    [signal / size, noise],
    [-spread / size, x0],
  ])
}

const value = fc.float({ min: -1, max: 1, noNaN: true })
const vector = fc.array(value, { minLength: 4, maxLength: 4 }).map((list) => Float32Array.from(list))

for (const [name, make] of Object.entries(makers)) {
  for (const predictionType of ['epsilon', 'v_prediction', 'sample'] as const) {
    test(`${name} finds x₀ again from a noised sample and its true ${predictionType}`, () => {
      const scheduler = make({ predictionType, ...unclipped(name), rescaleBetasZeroSnr: false })
      fc.assert(
        fc.property(vector, vector, fc.nat(19), (x0, noise, startAt) => {
          const state = scheduler.begin<Float32Array>(20, startAt)
          const sample = scheduler.addNoise(float32Linear, x0, noise, state)
          const { signal, noise: spread } = scheduler.level(state)
          const prediction = truth(predictionType, x0, noise, signal, spread)
          const fresh = scheduler.needsNoise(state) ? noise : undefined
          const found = scheduler.step(float32Linear, state, prediction, sample, fresh).x0
          // The sample was rounded to float32, and division by the signal magnifies that.
          const tolerance = 4 * 2 ** -24 * Math.hypot(1, spread / signal) * Math.max(1, Math.hypot(signal, spread))
          found.forEach((one, i) => {
            expect(Math.abs(one - x0[i]!)).toBeLessThan(tolerance + 1e-6)
          })
        }),
      )
    })
  }

  test(`${name} adds noise at a training timestep as it does at the state of that timestep`, () => {
    const scheduler = make({})
    const [x0, noise] = [Float32Array.of(0.5, -1), Float32Array.of(-2, 0.25)]
    const state = scheduler.begin<Float32Array>(10, 4)
    const byNumber = scheduler.addNoise(float32Linear, x0, noise, currentTimestep(state))
    const byState = scheduler.addNoise(float32Linear, x0, noise, state)
    byNumber.forEach((one, i) => {
      expect(Math.abs(one / byState[i]! - 1)).toBeLessThan(1e-6)
    })
  })

  test(`${name} ends at x₀ at any number of steps when the model knows it`, () => {
    const scheduler = make({ predictionType: 'sample', ...unclipped(name) })
    const x0 = Float32Array.of(0.75, -0.5, 0.125, 1)
    for (const steps of [1, 2, 7, 50]) {
      const end = run(scheduler, steps, Float32Array.of(3, -2, 1, 0), () => x0)
      // DDPM's last step adds noise of 1e-10 at most where it ends above timestep 0.
      end.forEach((one, i) => {
        expect(Math.abs(one - x0[i]!)).toBeLessThan(1e-6)
      })
    }
  })

  test(`${name} gives v as the derivative of the noising by angle`, () => {
    const scheduler = make({})
    const [x0, noise] = [Float32Array.of(1, 0), Float32Array.of(0, 1)]
    const v = scheduler.velocity(float32Linear, x0, noise, 300)
    const alphaBar = scheduler.schedule!.alphasCumprod[300]!
    expect(v[0]).toBe(Math.fround(-Math.sqrt(1 - alphaBar)))
    expect(v[1]).toBe(Math.fround(Math.sqrt(alphaBar)))
  })
}

test('first-order DPM-Solver++ and DDIM without noise are one method', () => {
  const timesteps = [900, 600, 300, 50]
  const solvers = [ddim({ clipSample: false }), dpmSolverMultistep({ solverOrder: 1 })]
  const ends = solvers.map((scheduler) => {
    let state = scheduler.begin<Float32Array>({ timesteps })
    let x = Float32Array.of(0.5, -1.5)
    while (!isDone(state)) {
      const result = scheduler.step(float32Linear, state, testModel(x, currentTimestep(state)), x)
      state = result.state
      x = new Float32Array(result.sample)
    }
    return x
  })
  ends[0]!.forEach((one, i) => {
    // Table ratios and ᾱ round differently: float32 over four steps.
    expect(Math.abs(one / ends[1]![i]! - 1)).toBeLessThan(2e-6)
  })
})

test('DDIM with eta 1 spreads a step as DDPM does', () => {
  const [x, epsilon, noise] = [Float32Array.of(0.3), Float32Array.of(-0.2), Float32Array.of(1.7)]
  const next = [ddpm({ clipSample: false }), ddim({ clipSample: false, eta: 1 })].map(
    (scheduler) => scheduler.step(float32Linear, scheduler.begin(1000, 300), epsilon, x, noise).sample[0]!,
  )
  // DDPM takes 1 − α from float32, which has four digits here.
  expect(Math.abs(next[0]! / next[1]! - 1)).toBeLessThan(1e-4)
})

test('every kind of prediction of one noise moves a solver that integrates ε alike', () => {
  const [x0, noise] = [Float32Array.of(0.5, -0.75), Float32Array.of(-1.25, 0.5)]
  for (const useFlowSigmas of [false, true]) {
    const types = ['epsilon', 'sample', useFlowSigmas ? 'flow_prediction' : 'v_prediction'] as const
    const ends = types.map((predictionType) => {
      const scheduler = dpmSolverMultistep({
        predictionType,
        useFlowSigmas,
        algorithmType: 'dpmsolver',
        finalSigmasType: 'sigma_min',
      })
      const state = scheduler.begin<Float32Array>(10, 4)
      const { signal, noise: spread } = scheduler.level(state)
      const sample = scheduler.addNoise(float32Linear, x0, noise, state)
      const prediction =
        predictionType === 'flow_prediction'
          ? float32Linear.combine([[1, noise], [-1, x0]])
          : truth(predictionType, x0, noise, signal, spread)
      return scheduler.step(float32Linear, state, prediction, sample).sample
    })
    for (const end of ends) {
      end.forEach((one, i) => {
        expect(Math.abs(one - ends[0]![i]!)).toBeLessThan(1e-6)
      })
    }
  }
})

test('continuous and flow timesteps say their own noise level', () => {
  const continuous = euler({ predictionType: 'v_prediction', timestepType: 'continuous', useKarrasSigmas: true })
  const flow = dpmSolverMultistep({ useFlowSigmas: true, predictionType: 'flow_prediction' })
  const [zero, noise] = [Float32Array.of(0), Float32Array.of(1)]
  const state = continuous.begin<Float32Array>(10, 3)
  const added = continuous.addNoise(float32Linear, zero, noise, currentTimestep(state))[0]!
  expect(Math.abs(added / continuous.level(state).noise - 1)).toBeLessThan(1e-6)
  expect(flow.addNoise(float32Linear, zero, noise, 250)[0]).toBe(0.25)
})
