import { expect, test } from 'vitest'
import { noiseSchedule, trainingLevel } from '../schedule/index.ts'
import { minSnrWeight, snr } from './snr.ts'

const schedule = noiseSchedule({ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012 })

test('the ratio is that of the table', () => {
  for (const t of [0, 250, 999]) {
    const alphaBar = schedule.alphasCumprod[t]!
    expect(snr(trainingLevel(schedule, t)) / (alphaBar / (1 - alphaBar))).toBeCloseTo(1, 12)
  }
  expect(snr({ signal: 1, noise: 0 })).toBe(Infinity)
  expect(snr({ signal: 0, noise: 1 })).toBe(0)
})

test('weights are those of the paper for each kind of prediction', () => {
  for (const t of [0, 100, 250, 600, 999]) {
    const level = trainingLevel(schedule, t)
    const ratio = snr(level)
    for (const gamma of [1, 5, 20]) {
      const least = Math.min(ratio, gamma)
      const weight = (predictionType: 'epsilon' | 'v_prediction' | 'sample'): number => minSnrWeight(level, { predictionType, gamma })
      expect(weight('epsilon') / (least / ratio)).toBeCloseTo(1, 12)
      expect(weight('v_prediction') / (least / (ratio + 1))).toBeCloseTo(1, 12)
      expect(weight('sample') / least).toBeCloseTo(1, 12)
    }
  }
})

test('a flow weighs the error of x0 alike', () => {
  // At σ an error e of ε − x₀ is one of σ·e of x₀ = x − σ·v.
  for (const sigma of [0.05, 0.4, 0.9]) {
    const level = { signal: 1 - sigma, noise: sigma }
    expect(minSnrWeight(level, { predictionType: 'flow_prediction' })).toBeCloseTo(Math.min(snr(level), 5) * sigma ** 2, 12)
  }
})

test('the ends of training have finite weights where the loss itself tells x0 and noise apart', () => {
  expect(minSnrWeight({ signal: 0, noise: 1 }, { predictionType: 'v_prediction' })).toBe(0)
  expect(minSnrWeight({ signal: 1, noise: 0 }, { predictionType: 'epsilon' })).toBe(0)
  expect(minSnrWeight({ signal: 0, noise: 1 }, { predictionType: 'sample' })).toBe(0)
})

test('gamma is 5 unless set, and above 0', () => {
  const level = trainingLevel(schedule, 0)
  expect(minSnrWeight(level, { predictionType: 'sample' })).toBeCloseTo(5, 12)
  for (const gamma of [0, -1, Number.NaN]) {
    expect(() => minSnrWeight(level, { predictionType: 'epsilon', gamma })).toThrow(/gamma to be a finite number above 0/)
  }
})
