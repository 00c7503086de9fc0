import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { placeholders } from '@antipode/core/nn'
import { encodeSafetensors } from '@antipode/core/io'
import { FakeHost } from '@antipode/core/testing'
import { AutoencoderKL, AutoencoderTiny, loadAutoencoder } from '@antipode/models'
import { expect, test } from 'vitest'
import { previewOf } from '../run/preview.ts'
import { reconstruct } from './index.ts'

const fixtures = join(import.meta.dirname, '../../test')
const host = new FakeHost()

test('the autoencoder of a pipeline is found by itself, and a picture that it knows nothing of comes back as one', async () => {
  using vae = await loadAutoencoder(host, join(fixtures, 'sd'))
  expect(vae).toBeInstanceOf(AutoencoderKL)
  const picture = { data: Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => i), width: 8, height: 8 }
  const { picture: back, latents, decibels } = await reconstruct(vae, picture)
  const { scale } = vae
  expect([back.width, back.height, latents]).toEqual([8, 8, [1, 4, 8 / scale, 8 / scale]])
  let squares = 0
  for (let i = 0; i < 64; i++) for (let c = 0; c < 3; c++) squares += ((back.data[4 * i + c]! - picture.data[3 * i + c]!) / 255) ** 2
  expect(decibels).toBeCloseTo(-10 * Math.log10(squares / 192), 1)
})

const bytes = (name: string): Uint8Array => new Uint8Array(readFileSync(join(fixtures, 'taef2', name)))
const [encoder, decoder] = ['taef2_encoder.safetensors', 'taef2_decoder.safetensors'] as const

test('a tiny autoencoder is found by its folder or by one of its files, and needs both to encode', async () => {
  for (const source of [join(fixtures, 'taef2'), join(fixtures, 'taef2', decoder), new Map([[decoder, bytes(decoder)], [encoder, bytes(encoder)]])]) {
    using tiny = await loadAutoencoder(host, source)
    expect(tiny).toBeInstanceOf(AutoencoderTiny)
    expect(tiny.config.latent_channels).toBe(32)
  }
  const half = new Map([[decoder, bytes(decoder)]])
  expect(host.memory().tensors).toBe(0)
  await expect(loadAutoencoder(host, half)).rejects.toThrow(`expected ${encoder} in`)
  using shown = await loadAutoencoder(host, half, { decoderOnly: true })
  expect(shown.config).toMatchObject({ latent_channels: 32, use_midblock_gn: true })
  const two = new Map([...half, ['taesd_decoder.safetensors', encodeSafetensors([])]])
  await expect(loadAutoencoder(host, two)).rejects.toThrow('expected one tiny autoencoder in')
  await expect(loadAutoencoder(host, join(fixtures, 'sd/unet'))).rejects.toThrow('got UNet2DConditionModel')
})

test('latents are shown by a matrix of colours, or by a tiny autoencoder of their scale', async () => {
  const latents = placeholders(host).filled([1, 4, 2, 3], 0)
  const colours = { weights: [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], bias: [1, 0, -1] } as const
  const [shown] = await previewOf(latents, true, colours)
  expect([shown!.width, shown!.height, ...shown!.data.slice(0, 4)]).toEqual([3, 2, 255, 128, 0, 255])
  const levels = { encoder_block_out_channels: [4, 4], decoder_block_out_channels: [4, 4], num_encoder_blocks: [1, 1], num_decoder_blocks: [1, 1] }
  const tiny = new AutoencoderTiny(placeholders(host), levels)
  const [large] = await previewOf(latents, tiny, colours)
  expect([large!.width, large!.height]).toEqual([6, 4])
})
