import { expect, test } from 'vitest'
import { CheckpointError } from '../errors.ts'
import { locate } from './index.ts'

const hub = 'https://huggingface.co/owner/name'

test.each([
  ['weights/unet.safetensors', 'weights/unet.safetensors'],
  ['https://example.org/a/b/blob/x', 'https://example.org/a/b/blob/x'],
  ['hf:owner/name', `${hub}/resolve/main/`],
  ['hf:owner/name/vae/config.json', `${hub}/resolve/main/vae/config.json`],
  ['hf:owner/name@v1.0/x', `${hub}/resolve/v1.0/x`],
  [hub, `${hub}/resolve/main/`],
  [`${hub}/`, `${hub}/resolve/main/`],
  [`${hub}/blob/main/x.safetensors`, `${hub}/resolve/main/x.safetensors`],
  [`${hub}/tree/fp16`, `${hub}/resolve/fp16`],
  [`${hub}/resolve/main/x.safetensors`, `${hub}/resolve/main/x.safetensors`],
])('%s is %s', (source, place) => {
  expect(String(locate(source))).toBe(place)
})

test.each(['hf:name', 'hf:', 'https://'])('%s is refused', (source) => {
  expect(() => locate(source)).toThrow(CheckpointError)
})
