import { expect, test } from 'vitest'
import golden from './images.golden.json' with { type: 'json' }
import { decodeImage, encodePng, ImageError, pixelsOf, toImageBitmap, toImageData } from './index.ts'

const data = Uint8ClampedArray.from({ length: 4 * 6 * 5 }, (_, i) => (i % 4 === 3 ? 255 : 37 * i))
const image = { data, width: 6, height: 5 }
const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

test('pixels go to canvases and come back', async () => {
  const shown = toImageData(image)
  expect([shown.width, shown.height, shown.data]).toEqual([6, 5, data])
  const bitmap = await toImageBitmap(image)
  expect((await pixelsOf(bitmap)).data).toEqual(data)
  bitmap.close()
  const canvas = new OffscreenCanvas(6, 5)
  canvas.getContext('2d')?.putImageData(shown, 0, 0)
  expect(await pixelsOf(canvas)).toEqual(image)
  const grey = await toImageBitmap({ data: Uint8Array.of(7, 9), width: 2, height: 1 })
  expect([...(await pixelsOf(grey)).data]).toEqual([7, 7, 7, 255, 9, 9, 9, 255])
})

test('the browser reads the PNG that is written here, and here is read what only it opens', async () => {
  expect((await pixelsOf(new Blob([encodePng(image)]))).data).toEqual(data)
  const { file, size, rgb } = golden.jpeg
  const jpeg = await decodeImage(new Blob([bytesOf(file)]))
  expect([jpeg.width, jpeg.height]).toEqual(size)
  const want = bytesOf(rgb)
  const gaps = Array.from(jpeg.data.filter((_, i) => i % 4 !== 3), (v, i) => Math.abs(v - want[i]!))
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2)
  const canvas = new OffscreenCanvas(3, 2)
  canvas.getContext('2d')?.putImageData(new ImageData(3, 2), 0, 0)
  const webp = await canvas.convertToBlob({ type: 'image/webp' })
  expect(await decodeImage(webp)).toMatchObject({ width: 3, height: 2, text: {} })
  await expect(decodeImage(bytesOf(file).slice(0, 40))).rejects.toThrow(ImageError)
})
