import { ConfigError } from '@antipode/core'
import { FakeHost } from '@antipode/core/testing'
import { rng } from '@antipode/core/random'
import {
  ddim, dpmSolverMultistep, euler, flowMatchEuler, fromConfig, lcm, type Linear, noiseSchedule,
  type Schedule, snr, trainingLevel, uniPc, videoCrafterDdim,
} from '@antipode/schedulers'
import { expect, test } from 'vitest'
import { drawNoise, flowProcess, type ForwardProcess, minSnr } from './index.ts'

const host = new FakeHost()
const draw = (from: unknown) => drawNoise(host, from as Schedule, [2, 3], { seed: 0, step: 0 })
const timesteps = (process: ForwardProcess, count: number): number[] => {
  const random = rng(3)
  return Array.from({ length: count }, () => process.timestep(random))
}

test('a flow is told σ·T, and its sample is (1 − σ)·x₀ + σ·ε', () => {
  const process = flowProcess()
  expect(process.predictionType).toBe('flow_prediction')
  for (const t of timesteps(process, 100)) {
    expect(t).toBeGreaterThan(0)
    expect(t).toBeLessThanOrEqual(1000)
    expect(process.level(t)).toEqual({ signal: 1 - t / 1000, noise: t / 1000 })
  }
  // The same levels as its solver adds noise by.
  const scheduler = flowMatchEuler()
  const unit: Linear<number> = { combine: (terms) => terms.reduce((sum, [c, x]) => sum + c * x, 0), clamp: (x) => x }
  for (const t of [1, 250, 999.5]) {
    expect(process.level(t).signal).toBeCloseTo(scheduler.addNoise(unit, 1, 0, t), 12)
    expect(process.level(t).noise).toBeCloseTo(scheduler.addNoise(unit, 0, 1, t), 12)
  }
})

test('levels of a flow are uniform, or normal in their logit, and then shifted', () => {
  const count = 20_000
  const shares = (process: ForwardProcess): number[] => {
    const tenths = Array<number>(10).fill(0)
    for (const t of timesteps(process, count)) tenths[Math.min(9, Math.floor(t / 100))]! += 1 / count
    return tenths
  }
  // A share of 0.1 among 20,000 deviates by 0.0021: five deviations.
  for (const share of shares(flowProcess())) expect(Math.abs(share - 0.1)).toBeLessThan(0.011)
  // P(σ < ¼) of a logit-normal is Φ(ln ⅓) = 0.1360; shifted by 3, σ = ¼ comes from 0.1: Φ(ln ⅑) = 0.0140.
  const below = (process: ForwardProcess): number => timesteps(process, count).filter((t) => t < 250).length / count
  expect(Math.abs(below(flowProcess({ density: 'logit-normal' })) - 0.136)).toBeLessThan(0.0122)
  expect(Math.abs(below(flowProcess({ density: 'logit-normal', shift: 3 })) - 0.014)).toBeLessThan(0.0042)
  // Uniform σ shifted by 3: σ = ¼ comes from 0.1.
  expect(Math.abs(below(flowProcess({ shift: 3 })) - 0.1)).toBeLessThan(0.011)
  for (const wrong of [{ shift: 0 }, { trainSteps: 0 }, { density: 'normal' }, { steps: 10 }]) {
    expect(() => flowProcess(wrong as never)).toThrow(ConfigError)
  }
})

test('a draw says what the model of its scheduler predicts, and unknown processes are refused by name', () => {
  const predicted = (from: unknown): string => draw(from).predictionType
  for (const predictionType of ['epsilon', 'v_prediction', 'sample'] as const) {
    expect(predicted(noiseSchedule({ predictionType }))).toBe(predictionType)
    for (const solver of [ddim, euler, dpmSolverMultistep, lcm]) {
      expect(predicted(solver({ predictionType }).schedule)).toBe(predictionType)
    }
  }
  const file = fromConfig({ _class_name: 'DDIMScheduler', prediction_type: 'v_prediction' })
  expect(predicted(file.schedule)).toBe('v_prediction')
  expect(predicted(videoCrafterDdim({ baseScale: 1 }).schedule)).toBe('epsilon')
  const ofSolver = uniPc({ useFlowSigmas: true, predictionType: 'flow_prediction' }).schedule
  for (const flow of [flowProcess(), ofSolver]) expect(predicted(flow)).toBe('flow_prediction')
  const refused: [unknown, RegExp][] = [
    [flowMatchEuler().schedule, /got null; pass flowProcess\(\) for a flow/],
    [uniPc({ useFlowSigmas: true }).schedule, /got epsilon of a flow/],
    [videoCrafterDdim().schedule, /got epsilon of x = √ᾱ·s·x₀/],
    [{ trainSteps: 1000 }, /got undefined/],
  ]
  for (const [from, message] of refused) {
    expect(() => draw(from)).toThrow(ConfigError)
    expect(() => draw(from)).toThrow(message)
  }
})

test('a draw carries weights of its levels where they are asked for', () => {
  const schedule = noiseSchedule()
  expect(draw(schedule).weights).toBe(undefined)
  const { weights, timesteps: at } = drawNoise(host, schedule, [4, 3], { seed: 1, step: 2, weight: minSnr(3) })
  expect(weights?.shape).toEqual([4])
  expect(at.shape).toEqual([4])
  const level = trainingLevel(schedule, 100)
  expect(minSnr(3)(level, 'epsilon')).toBeCloseTo(Math.min(snr(level), 3) / snr(level), 12)
})
