import { expect, test } from 'vitest'
import { float32Linear } from '../../linear/index.ts'
import { isDone, type Scheduler } from '../../run/index.ts'
import { convergenceOrder, testModel } from '../../testing/index.ts'
import { dpmSolverMultistep } from '../dpm-solver-multistep/index.ts'
import golden from './dpm-solver-multistep-inverse.golden.json' with { type: 'json' }
import { dpmSolverMultistepInverse } from './dpm-solver-multistep-inverse.ts'

// β whose σ is even in ln σ from 0.05 to 20, so that even timesteps are even in λ.
const alphaBars = Array.from({ length: 1601 }, (_, t) => 1 / (1 + (0.05 * 400 ** (t / 1600)) ** 2))
const trainedBetas = alphaBars.map((alphaBar, t) => 1 - alphaBar / (alphaBars[t - 1] ?? 1))

test('the inversion is of the order that it is told, and of second order where that is the third', () => {
  for (const algorithmType of ['dpmsolver', 'dpmsolver++'] as const) {
    for (const solverOrder of [1, 2, 3]) {
      const options = { predictionType: 'sample', lowerOrderFinal: false, trainedBetas, algorithmType, solverOrder } as const
      expect(convergenceOrder(dpmSolverMultistepInverse(options), 400)).toBeCloseTo(Math.min(solverOrder, 2), 1)
    }
  }
})

test('an inversion and the way back end at the image', () => {
  // ε of data N(0, ½²): what a perfect model says.
  const run = (scheduler: Scheduler, start: Float32Array): Float32Array => {
    let state = scheduler.begin<Float32Array>(100)
    let x = start
    while (!isDone(state)) {
      const { signal, noise } = scheduler.level(state)
      const epsilon = x.map((value) => (value * noise) / (signal ** 2 / 4 + noise ** 2))
      const made = scheduler.step(float32Linear, state, epsilon, x)
      state = made.state
      x = made.sample
    }
    return x
  }
  const image = Float32Array.of(0.5, -0.25, 1)
  const noise = run(dpmSolverMultistepInverse({ trainedBetas }), image)
  const back = run(dpmSolverMultistep({ trainedBetas, finalSigmasType: 'sigma_min' }), noise)
  noise.forEach((value, i) => {
    expect(value / image[i]!).toBeCloseTo(2, 1)
    expect(back[i]! / image[i]!).toBeCloseTo(1, 3)
  })
})

test('each timestep comes once, with its own level, or the run is refused', () => {
  const { schedule, ...scheduler } = dpmSolverMultistepInverse()
  const plan = scheduler.timesteps(999)
  plan.timesteps.forEach((timestep, i) => {
    const alphaBar = schedule.alphasCumprod[timestep]!
    expect(plan.sigmas![i]! / Math.sqrt((1 - alphaBar) / alphaBar)).toBeCloseTo(1, 3)
  })
  expect(new Set(plan.timesteps).size).toBe(999)
  expect(() => scheduler.timesteps(1000)).toThrow('1000 steps of which two or more lie at timestep 500; take fewer')
  const karras = dpmSolverMultistepInverse({ useKarrasSigmas: true })
  expect(() => karras.timesteps(100)).toThrow(/timestep 1; take fewer, or no curve of sigmas/)
  expect(new Set(karras.timesteps(10).timesteps).size).toBe(10)
})

test('velocity equals the reference once coefficients are rounded as the reference rounds them', () => {
  // The first step is 32.4·x − 31.4·x₀ where x₀ is nearly x, which magnifies their rounding thirtyfold.
  const { observed, timesteps, sigmas } = golden.cases.find(({ cancels }) => cancels !== undefined)!
  const f = Math.fround
  const levels = sigmas.map((sigma) => {
    const signal = f(1 / f(Math.sqrt(f(f(f(sigma) ** 2) + 1))))
    const noise = f(f(sigma) * signal)
    return { signal, noise, lambda: f(f(Math.log(signal)) - f(Math.log(noise))) }
  })
  let x = Float32Array.from({ length: 768 }, (_, i) => i / 768)
  let before = x
  timesteps.forEach((timestep, i) => {
    const [here, end, last] = [levels[i]!, levels[i + 1]!, levels[i - 1]]
    const v = testModel(x, timestep)
    const x0 = x.map((value, k) => here.signal * value - here.noise * v[k]!)
    const h = f(end.lambda - here.lambda)
    const keep = f(end.noise / here.noise)
    const step = f(end.signal * f(f(Math.exp(-h)) - 1))
    const slope = last === undefined ? 0 : f(f(0.5 * step) * f(1 / f(f(here.lambda - last.lambda) / h)))
    x = x.map((value, k) => keep * value - step * x0[k]! - slope * (x0[k]! - before[k]!))
    before = x0
  })
  expect(Math.abs(x.reduce((sum, value) => sum + Math.abs(value), 0) / observed.sum - 1)).toBeLessThan(1e-6)
})

test('spaced timesteps rise, and end one short of where the run does', () => {
  const spaced = (timestepSpacing: 'linspace' | 'leading' | 'trailing'): readonly number[] =>
    dpmSolverMultistepInverse({ timestepSpacing, stepsOffset: 1 }).timesteps(4).timesteps
  expect(spaced('linspace')).toEqual([0, 250, 500, 749])
  expect(spaced('leading')).toEqual([1, 201, 401, 601])
  expect(spaced('trailing')).toEqual([249, 499, 749, 999])
  expect(() => dpmSolverMultistepInverse({ timestepSpacing: 'leading' }).timesteps(1000)).toThrow(/fewer than 1000/)
  expect(() => dpmSolverMultistepInverse().timesteps({ timesteps: [5, 3] })).toThrow(/expected rising/)
})

test('what cannot be inverted is refused by name', () => {
  const of = (options: object) => (): unknown => dpmSolverMultistepInverse(options)
  expect(of({ algorithmType: 'sde-dpmsolver++' })).toThrow(/algorithmType/)
  expect(of({ predictionType: 'flow_prediction' })).toThrow(/predictionType/)
  expect(of({ solverOrder: 4 })).toThrow(/solverOrder from 1 to 3/)
})
