import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Device, evaluate } from '@antipode/core'
import { readSafetensors } from '@antipode/core/io'
import { placeholders } from '@antipode/core/nn'
import { AutoencoderTiny, taesd } from '@antipode/models'
import { expect, test } from 'vitest'
import { decodeImage, postprocessImages, preprocessImages } from './index.ts'

const path = (name: string): string => fileURLToPath(new URL(`../../test/taef2/${name}`, import.meta.url))

// Of its author's code in float64 on the same picture: torch 2.13.
const wanted = {
  latents: [0.2900048, 0.2947361, -0.2380369, -0.4904152, 0.0784497, 0.9290531, 0.588008601, 0.35756689],
  absSum: 22582.6767598,
  pixels: [0.6657457, 0.6710551, 0.6758984, 0.6753149, 0.6785930, 0.6795113, 0.6833945, 0.6903708],
  decibels: 32.20078404916797,
}

test('a picture goes through TAEF2 and comes back as near as its author\'s code brings it', async () => {
  await using device = await Device.request()
  await using encoder = await readSafetensors(path('taef2_encoder.safetensors'))
  await using decoder = await readSafetensors(path('taef2_decoder.safetensors'))
  const { config, state } = taesd({ encoder, decoder })
  using model = new AutoencoderTiny(placeholders(device), config)
  await model.load(state)

  const picture = await decodeImage(new Uint8Array(await readFile(path('astronaut.png'))))
  using x = await preprocessImages(device, picture)
  using latents = model.encode(x)
  using image = model.decode(latents)
  await evaluate(latents, image)

  const z = Float64Array.from(await latents.data())
  wanted.latents.forEach((want, i) => { expect(z[i]).toBeCloseTo(want, 3) })
  expect(Math.abs(z.reduce((sum, v) => sum + Math.abs(v), 0) / wanted.absSum - 1)).toBeLessThan(1e-4)
  const pixels = Float64Array.from(await image.data(), (v) => Math.min(1, Math.max(0, v / 2 + 0.5)))
  wanted.pixels.forEach((want, i) => { expect(pixels[i]).toBeCloseTo(want, 3) })
  const [shown] = await postprocessImages(image)
  expect(decibels(pixels, (i, c) => picture.data[4 * i + c]! / 255)).toBeCloseTo(wanted.decibels, 2)
  expect(decibels(pixels, (i, c) => shown!.data[4 * i + c]! / 255)).toBeGreaterThan(55)
})

/** Of planes of three colours beside pixels, both in [0, 1]. */
function decibels(planes: ArrayLike<number>, other: (pixel: number, channel: number) => number): number {
  const area = planes.length / 3
  let squares = 0
  for (let k = 0; k < planes.length; k++) squares += (planes[k]! - other(k % area, Math.floor(k / area))) ** 2
  return -10 * Math.log10(squares / planes.length)
}
