import { readFile } from 'node:fs/promises'
import { Device } from '@antipode/core'
import { test } from 'vitest'
import { expectRoundTrip } from '../testing/index.ts'

const read = async (name: string): Promise<Blob> =>
  new Blob([new Uint8Array(await readFile(new URL(`../../test/taef2/${name}`, import.meta.url)))])

test('a picture goes through TAEF2 and comes back as near as its author\'s code brings it', async () => {
  await using device = await Device.request()
  const [encoder, decoder, picture] = await Promise.all(
    ['taef2_encoder.safetensors', 'taef2_decoder.safetensors', 'astronaut.png'].map(read),
  ) as [Blob, Blob, Blob]
  await expectRoundTrip(device, { encoder, decoder, picture })
})
