import { expect, test } from 'vitest'
import { CheckpointError, ConfigError } from '../errors.ts'
import { encodeSafetensors, readTensors } from './index.ts'

const text = (content: string): Uint8Array => new TextEncoder().encode(content)

test('safetensors open by their first bytes, whatever they are called', async () => {
  const entry = { name: 'a', dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } as const
  await using file = await readTensors(encodeSafetensors([entry]))
  expect([...await file.readFloat32('a')]).toEqual([1, 2])
})

test.each<[string, Uint8Array, string]>([
  ['a web page', text('<!DOCTYPE html><html>'), 'got a web page; download the file itself'],
  ['another web page', text('\n<html><head>'), 'got a web page'],
  [
    'a pointer of Git LFS', text('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'),
    'got a Git LFS pointer to one; fetch the file itself with git lfs pull',
  ],
  [
    'a pickle', Uint8Array.of(0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0),
    'expected a file of torch 1.6 or later, got a pickle of something else',
  ],
  ['another text', text('{"_class_name": "StableDiffusionPipeline"}'), 'got a text that begins "{\\"_class_"'],
  ['an empty file', new Uint8Array(0), 'expected at least 8 bytes, got 0'],
  ['an archive that is cut', text('PK\u0003\u0004'), 'expected a zip archive with its directory at the end, got none'],
  ['GGUF that is cut', text('GGUF'), 'expected a header that ends in the file'],
])('%s is refused by name', async (_, bytes, message) => {
  await expect(readTensors(bytes)).rejects.toThrow(CheckpointError)
  await expect(readTensors(bytes)).rejects.toThrow(message)
})

test('digests are asked of no format without them', async () => {
  await expect(readTensors(text('GGUF'), { verify: true })).rejects.toThrow('expected a file with digests to verify')
  await expect(readTensors(text('GGUF'), { sign: 1 } as never)).rejects.toThrow(ConfigError)
})
