import { Device } from '@antipode/core'
import { expect, test } from 'vitest'
import { expectRoundTrip } from '../testing/round-trip.ts'

async function read(name: string): Promise<Blob> {
  const answer = await fetch(new URL(`../../test/taef2/${name}`, import.meta.url))
  expect(answer.ok).toBe(true)
  return await answer.blob()
}

test('in a browser, a picture goes through TAEF2 and comes back as in Node', async () => {
  await using device = await Device.request()
  const [encoder, decoder, picture] = await Promise.all(
    ['taef2_encoder.safetensors', 'taef2_decoder.safetensors', 'astronaut.png'].map(read),
  ) as [Blob, Blob, Blob]
  await expectRoundTrip(device, { encoder, decoder, picture })
})
