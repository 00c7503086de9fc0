import { Device, nn, tensor } from '@antipode/core'
import { philoxNormal } from '@antipode/core/random'
import { currentTimestep, ddpm, dpmSolverMultistep, float32Linear, isDone, type Scheduler } from '@antipode/schedulers'
import { expect, test } from 'vitest'
import { gap, take } from '../testing/toy.ts'
import { sampleToEnd } from './index.ts'

const batch = 3
const width = 4
const steps = 6

test.each<[string, Scheduler]>([
  ['DPM-Solver++', dpmSolverMultistep()],
  ['DDPM, which adds noise', ddpm()],
])('a browser samples what a loop over arrays samples: %s', async (_, scheduler) => {
  const device = await Device.request()
  const layer = nn.Linear.of(nn.randomParameters(device, { seed: 3 }), width, width)
  const [w, b] = [await layer.weight.data(), layer.bias ? await layer.bias.data() : []]
  const start = philoxNormal(batch * width, { seed: 1 })

  let state = scheduler.begin<Float32Array>(steps)
  let x: Float32Array = start.map((v) => v * scheduler.initNoiseSigma(state.plan))
  while (!isDone(state)) {
    const [t, scale] = [currentTimestep(state), scheduler.inputScale(state)]
    const prediction = x.map((_value, i) => {
      const [row, out] = [Math.floor(i / width) * width, i % width]
      let sum = b[out] ?? 0
      for (let k = 0; k < width; k++) sum += (x[row + k] ?? 0) * scale * (w[out * width + k] ?? 0)
      return Math.tanh(sum + t / 1000)
    })
    const fresh = scheduler.needsNoise(state) ? philoxNormal(x.length, { seed: 9, stream: 2 ** 31 + state.step }) : undefined
    ;({ state, sample: x } = scheduler.step(float32Linear, state, prediction, x, fresh))
  }

  const noise = tensor(device, start, [batch, width])
  const result = await sampleToEnd(
    (input, timesteps) => layer.forward(input).add(timesteps.div(1000).unsqueeze(1)).tanh(), scheduler, noise, undefined, { steps, seed: 9 },
  )
  // Six steps in f32; at high noise, x₀ = (x − σ·ε)/√ᾱ loses up to two digits.
  expect(gap(await take(result), x)).toBeLessThan(1e-5 * Math.max(1, ...Array.from(x, Math.abs)))
  for (const t of [noise, ...layer.parameters()]) t.dispose()
  expect(device.memory().tensors).toBe(0)
  await device[Symbol.asyncDispose]()
})
