// Goldens are made by tools/golden/training_tools.py with torch 2.15 and diffusers 0.42.1.
import { expect, test } from 'vitest'
import { CheckpointError, ConfigError, evaluate, type Tensor, tensor } from '../index.ts'
import { FakeHost } from '../testing/index.ts'
import { adamw, ema, lossScaler, type Optimizer, powerWarmup, ratioWarmup, sgd } from './index.ts'
import golden from './training-tools.golden.json' with { type: 'json' }

const device = new FakeHost()

async function run(updates: readonly Tensor[]): Promise<void> {
  await evaluate(...updates)
  for (const t of updates) t.dispose()
}

test.each(golden.averages)('an average with a $name warm-up is that of diffusers, decay by decay: $options', async ({ name, options, decays, values }) => {
  const { decay, use_ema_warmup: _, inv_gamma: inverseGamma, power, min_decay: minDecay, update_after_step: updateAfterStep } =
    options as Record<string, number | undefined>
  const given = Object.fromEntries(
    Object.entries({ inverseGamma, power, minDecay, updateAfterStep }).filter(([, value]) => value !== undefined),
  )
  const warmup = name === 'power' ? powerWarmup(decay!, given) : ratioWarmup(decay!, given)
  decays.forEach((want, i) => { expect(warmup(i + 1)).toBeCloseTo(want, 14) })
  using average = ema(warmup)
  using p = tensor(device, [0])
  for (const [i, want] of values.entries()) {
    p.write([Math.sin(i + 1)])
    await run(average.update(new Map([['p', p]])))
    // Parameters and averages are kept in f32.
    expect(Math.abs((await average.averages().get('p')!.item()) - want)).toBeLessThan(3e-7)
  }
})

test('a warm-up that leaves its range is refused at its update, and so are numbers that mean nothing', () => {
  using p = tensor(device, [0])
  using average = ema((update) => update - 1.5)
  average.update(new Map([['p', p]]))
  average.update(new Map([['p', p]]))
  expect(() => average.update(new Map([['p', p]]))).toThrow(/^ema: update 3: expected decay to be a number in \[0, 1\), also in f32, got 1\.5/)
  for (const bad of [
    () => powerWarmup(1), () => powerWarmup(0.9, { power: 0 }), () => powerWarmup(0.9, { inverseGamma: -1 }),
    () => ratioWarmup(0.9, { updateAfterStep: 0.5 }), () => ratioWarmup(0.9, { minDecay: 1 }), () => ratioWarmup(0.9, { power: 1 } as object),
    () => lossScaler({ growthFactor: 1 }), () => lossScaler({ backoffFactor: 1 }), () => lossScaler({ initScale: 0 }),
    () => lossScaler({ growthInterval: 0 }),
  ]) expect(bad).toThrow(ConfigError)
})

test.each(golden.scales)('scales follow those of GradScaler, step by step, and a resumed scaler goes on: $options', ({ options, bad, steps }) => {
  const { init_scale: initScale, growth_interval: growthInterval, growth_factor: growthFactor, backoff_factor: backoffFactor } =
    options as Record<string, number | undefined>
  const given = Object.fromEntries(
    Object.entries({ initScale, growthInterval, growthFactor, backoffFactor }).filter(([, value]) => value !== undefined),
  )
  let scaler = lossScaler(given)
  expect(lossScaler().scale).toBe(golden.defaults.scale)
  for (const [i, { scale, next, tracker }] of steps.entries()) {
    expect(scaler.scale).toBe(scale)
    scaler.update(!(bad as number[]).includes(i))
    expect(scaler.state()).toEqual({ scale: next, growthTracker: tracker })
    const state = scaler.state()
    scaler = lossScaler(given)
    scaler.load(state)
  }
  for (const state of [{ scale: 0, growthTracker: 0 }, { scale: 1, growthTracker: -1 }, { scale: Number.NaN, growthTracker: 0 }]) {
    expect(() => { scaler.load(state) }).toThrow(CheckpointError)
  }
})

test.each([[{ w: [1, -2] }], [{ w: [1, -2], b: [0.5] }]])('optimisers update in place without a GPU too, alone and together: %j', async (start) => {
  const twoSteps = async (make: () => Optimizer): Promise<number[]> => {
    using optimizer = make()
    const params = new Map(Object.entries(start).map(([name, v]) => [name, tensor(device, v)]))
    for (let k = 0; k < 2; k++) await run(optimizer.update(params, [...params.values()].map((t) => t.mul(2))))
    const values = (await Promise.all([...params.values()].map(async (t) => [...await t.data()]))).flat()
    for (const t of params.values()) t.dispose()
    return values
  }
  const before = Object.values(start).flat()
  // p − 0.1·2p, twice; Adam's first steps have the size of the rate.
  for (const [i, v] of (await twoSteps(() => sgd({ lr: 0.1 }))).entries()) expect(v).toBeCloseTo(0.64 * before[i]!, 6)
  for (const [i, v] of (await twoSteps(() => adamw({ lr: 0.1, weightDecay: 0 }))).entries()) {
    expect(Math.abs(v - before[i]!)).toBeCloseTo(0.2, 2)
  }
  expect(device.memory().tensors).toBe(0)
})
