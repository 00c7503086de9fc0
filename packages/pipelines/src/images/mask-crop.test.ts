import { ShapeError } from '@antipode/core'
import { expect, test } from 'vitest'
import golden from '../testing/extras.golden.json' with { type: 'json' }
import { cropRegion, croppedTo, overlaid } from './index.ts'

const { width, height, cases } = golden.maskCrop
const image = { width, height, data: Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37 + (i * i) % 101) % 256) }

/** A rectangle of white. */
const maskOf = ({ rows: [top = 0, bottom = 0], columns: [left = 0, right = 0] }: { rows: number[]; columns: number[] }) => ({
  width, height,
  data: Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)]
    return x >= left && x < right && y >= top && y < bottom ? 255 : 0
  }),
})

test.each(cases)('the part around a mask is the one that diffusers takes, in the size that is drawn: %#', (one) => {
  const size = { width: 16, height: 16 }
  const region = cropRegion(maskOf(one), size, one.padding)
  const { left, top } = region
  expect([left, top, left + region.width, top + region.height]).toEqual(one.region)
  expect([...croppedTo(image, region, size).data]).toEqual(one.part)
})

test('what the mask leaves stays as it was, and where it is grey both shine through', () => {
  const white = { width: 4, height: 4, data: new Uint8Array(48).fill(255) }
  const grey = maskOf({ rows: [0, 0], columns: [0, 0] })
  grey.data[0] = 128
  const region = { left: 0, top: 0, width: 4, height: 4 }
  const made = overlaid(image, grey, white, region)
  expect([made.data[0], made.data[4]]).toEqual([Math.round((128 / 255) * 255 + (127 / 255) * image.data[0]!), image.data[3]])
  expect(() => cropRegion({ width: 2, height: 1, data: new Uint8Array(2) }, region, 1)).toThrow(ShapeError)
})
