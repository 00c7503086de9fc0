import { ConfigError, ShapeError, tensor } from '@antipode/core'
import { FakeHost, interpret } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import golden from './images.golden.json' with { type: 'json' }
import {
  contactSheet, type PixelSource, postprocessImages, preprocessImages, preprocessMasks, resizeNearest, rgba,
} from './index.ts'
import { lanczos } from './lanczos.ts'

const host = new FakeHost()

/** The formula of tools/golden/images.py. */
function picture(width: number, height: number, channels: 1 | 3 | 4): PixelSource & { readonly channels: number } {
  const byte = (i: number): number => i * 73 + (i * i) % 251 + (Math.floor(i / 7) % 2) * 128
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => byte(i))
  return { data, width, height, channels }
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(base64, 'base64'))
const floatsOf = (base64: string): Float32Array => new Float32Array(bytesOf(base64).buffer)

test.each(golden.lanczos)('$channels channels are resized from $from to $to as by Pillow, to the bit', (one) => {
  const { channels, from, to, bytes } = one
  const source = picture(from[0]!, from[1]!, channels as 1 | 3)
  const raster = { ...source, data: Uint8Array.from(source.data) }
  expect([...lanczos(raster, to[0]!, to[1]!).data]).toEqual([...bytesOf(bytes)])
})

test.each(golden.preprocess)('images and masks of $size are prepared as by diffusers with $options', async (one) => {
  const { size, options, shape, float32, mask } = one
  const image = picture(size[0]!, size[1]!, 3)
  const got = await preprocessImages(host, image, options as object)
  expect(got.shape).toEqual(shape)
  expect([...await got.data()]).toEqual([...floatsOf(float32)])
  const masked = preprocessMasks(host, [image], options as object)
  expect(masked.shape).toEqual([1, 1, ...shape.slice(2)])
  expect([...await masked.data()].join('')).toBe(mask)
})

test('several images become one batch of the first one\'s size, whatever their channels', async () => {
  const [grey, colour, clear] = [picture(16, 8, 1), picture(20, 30, 3), picture(8, 8, 4)]
  const batch = await preprocessImages(host, [grey, colour, clear])
  expect(batch.shape).toEqual([3, 3, 8, 16])
  const [r, g] = [(await batch.data()).slice(0, 128), (await batch.data()).slice(128, 256)]
  expect([...r]).toEqual([...g])
  expect((await preprocessImages(host, rgba(grey), { multiple: 4, height: 7 })).shape).toEqual([1, 3, 4, 16])
})

test.each(golden.nearest)('tensors are resized from $from to $to as by torch', ({ from, to, picked }) => {
  const x = tensor(host, Float32Array.from({ length: from[0]! * from[1]! }, (_, i) => i), [1, 1, ...from])
  const [got] = interpret([resizeNearest(x, to[0]!, to[1]!)])
  expect([...got!]).toEqual(picked)
})

test('tensors in [0, 1] are moved to [−1, 1], those with a number below 0 stay, and masks are 0 or 1', async () => {
  const x = tensor(host, Float32Array.from({ length: 3 * 80 }, (_, i) => i / 240), [1, 3, 8, 10])
  const [own, moved] = interpret([x, await preprocessImages(host, x)])
  expect(moved).toHaveLength(3 * 64)
  expect(moved![3]).toBeCloseTo(2 * own![3]! - 1, 6)
  const signed = x.sub(0.25)
  const [same, kept] = interpret([signed, await preprocessImages(host, signed, { width: 8 })])
  expect(kept![1]).toBe(same![1])
  const [mask] = interpret([preprocessMasks(host, x.slice(1, 1, 2).mul(1.2), { multiple: 1 })])
  expect([...new Set(mask)].sort()).toEqual([0, 1])
})

test('numbers become bytes as in diffusers, halves to even', async () => {
  const x = tensor(host, floatsOf(golden.postprocess.float32), [1, 3, 8, 8])
  const [image] = await postprocessImages(x)
  const rgb = image!.data.filter((_, i) => i % 4 !== 3)
  expect([...rgb]).toEqual([...bytesOf(golden.postprocess.rgb)])
  expect(image!.data.filter((_, i) => i % 4 === 3).every((alpha) => alpha === 255)).toBe(true)
  const grey = await postprocessImages(x.mul(0.5).add(0.5).reshape([3, 1, 8, 8]), { denormalize: false })
  expect([grey.length, ...grey[0]!.data.slice(0, 3)]).toEqual([3, rgb[0], rgb[0], rgb[0]])
})

test('a contact sheet has images in rows, each in the middle of its cell', () => {
  const images = [picture(2, 2, 3), picture(1, 2, 1), picture(2, 2, 4)]
  const sheet = contactSheet(images, { columns: 2, gap: 1, background: [1, 2, 3] })
  expect([sheet.width, sheet.height]).toEqual([7, 7])
  const at = (x: number, y: number): number[] => [...sheet.data.slice(4 * (7 * y + x), 4 * (7 * y + x) + 4)]
  expect(at(0, 0)).toEqual([1, 2, 3, 255])
  expect(at(1, 1)).toEqual([...picture(2, 2, 3).data.slice(0, 3), 255])
  expect(at(4, 1).slice(0, 3)).toEqual(new Array(3).fill(picture(1, 2, 1).data[0]))
  expect(at(2, 5)).toEqual([...picture(2, 2, 4).data.slice(12)])
  expect(at(5, 5)).toEqual([1, 2, 3, 255])
  expect(contactSheet(Array.from({ length: 5 }, () => picture(3, 2, 3))).width).toBe(3 * 3 + 4 * 8)
})

test('what is no image is refused', async () => {
  await expect(preprocessImages(host, [])).rejects.toThrow(ShapeError)
  await expect(preprocessImages(host, [])).rejects.toThrow('preprocessImages: expected at least one image, got none')
  const torn = { data: new Uint8Array(10), width: 2, height: 2 }
  await expect(preprocessImages(host, torn, { multiple: 1 })).rejects.toThrow('expected pixels of 1, 3 or 4 numbers')
  await expect(preprocessImages(host, picture(7, 9, 3))).rejects.toThrow('expected sides of 8 pixels or more, got 7×9')
  const dot = tensor(host, [0], [1, 1, 1, 1])
  await expect(preprocessImages(host, dot)).rejects.toThrow('expected a tensor [B,3,H,W], got [1,1,1,1]')
  await expect(preprocessImages(host, picture(8, 8, 3), { size: 8 } as object)).rejects.toThrow(ConfigError)
  const two = tensor(host, [0, 0], [1, 2, 1, 1])
  await expect(postprocessImages(two)).rejects.toThrow('expected [B,3,H,W] or [B,1,H,W], got [1,2,1,1]')
  expect(() => contactSheet([])).toThrow('contactSheet: expected at least one image, got none')
})
