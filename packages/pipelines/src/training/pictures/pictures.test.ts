import { expect, test } from 'vitest'
import { DatasetError } from '../pairs/index.ts'
import { decodePicture, fit } from './index.ts'
import golden from './pictures.golden.json' with { type: 'json' }
import { resize } from './resize.ts'

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
const farthest = (a: ArrayLike<number>, b: readonly number[]): number => b.reduce((most, v, i) => Math.max(most, Math.abs(v - a[i]!)), 0)

// Written by tools/golden/pick_a_pic.py.
test.each(Object.entries(golden.read))('%s is read as Pillow reads it', (name, { bytes, width, height, pixels }) => {
  const picture = decodePicture('row 1', bytesOf(bytes))
  expect([picture.width, picture.height, picture.data.length]).toEqual([width, height, pixels.length])
  // Decoders of JPEG may round by a step or two.
  expect(farthest(picture.data, pixels)).toBeLessThanOrEqual(name.includes('jpeg') ? 4 : 0)
})

test.each(golden.resized)('a picture at $width × $height is that of Pillow, which rounds twice', ({ width, height, pixels }) => {
  const colour = decodePicture('row 1', bytesOf(golden.read.png.bytes))
  expect(farthest(resize(colour, { width, height }), pixels)).toBeLessThan(1.1)
})

test('a picture is fitted by covering the size and cutting its middle out', () => {
  const data = Uint8Array.from({ length: 3 * 4 * 8 }, (_, i) => (Math.floor(i / 3) % 8) * 10)
  const { pixels, original, crop } = fit({ width: 8, height: 4, data }, { height: 4, width: 4 })
  expect([original, crop]).toEqual([[4, 8], [0, 2]])
  expect([...pixels.subarray(0, 4)].map((v) => Math.round((v + 1) * 127.5))).toEqual([20, 30, 40, 50])
  expect(pixels).toHaveLength(48)
})

test('other and damaged files are refused with the row that they belong to', () => {
  const said = (bytes: Uint8Array): string => {
    try {
      decodePicture('pairs.jsonl:7', bytes)
      return 'no error'
    } catch (error) {
      expect(error).toBeInstanceOf(DatasetError)
      return (error as DatasetError).message
    }
  }
  expect(said(new Uint8Array())).toBe('pairs.jsonl:7: expected a PNG or JPEG picture, got an empty file; convert it, or leave out the row')
  expect(said(Buffer.from('RIFF0000WEBP'))).toContain('got WebP')
  for (const form of [golden.read.png, golden.read.jpeg]) expect(said(bytesOf(form.bytes).subarray(0, 90))).toMatch(/^pairs\.jsonl:7: expected a picture, got a damaged (PNG|JPEG) file/)
})
