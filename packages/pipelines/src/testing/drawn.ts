import type { Device } from '@antipode/core'
import { expect } from 'vitest'
import drawn from './drawn.golden.json' with { type: 'json' }
import { loadPipeline } from '../index.ts'

/** Opens a tiny checkpoint that diffusers saved, and holds what it draws to what diffusers drew. */
export async function expectDrawn(device: Device, name: keyof typeof drawn, folder: string): Promise<void> {
  const { prompt, negativePrompt, latents, pixels } = drawn[name]
  const before = device.memory().tensors
  {
    using pipe = await loadPipeline(device, folder, { dtype: 'f32' })
    const options = { prompt, negativePrompt, height: 16, width: 16, steps: 3, guidanceScale: 5, seed: 1 }
    let step = 0
    for await (const { latents: got } of pipe.stream(options)) expectNear(await got.data(), latents[step++] ?? [])
    const result = await pipe({ ...options, output: 'pixels' })
    expectNear(await result.pixels.data(), pixels)
    result.pixels.dispose()
  }
  expect(device.memory().tensors).toBe(before)
}

/** Both are float32 runs, guided by 5: they keep five digits of the largest number. */
export function expectNear(got: ArrayLike<number>, want: readonly number[]): void {
  expect(got.length).toBe(want.length)
  expect(Math.max(...want.map((v, i) => Math.abs(v - got[i]!)))).toBeLessThan(2e-5 * Math.max(...want.map(Math.abs)))
}
