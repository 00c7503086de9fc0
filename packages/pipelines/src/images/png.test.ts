import { ConfigError, UnsupportedError } from '@antipode/core'
import { expect, test } from 'vitest'
import golden from './images.golden.json' with { type: 'json' }
import { decodeImage, decodePng, encodePng, ImageError, settingsOf, settingsText } from './index.ts'

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(base64, 'base64'))
const files = Object.entries(golden.files).map(([name, file]) => ({ name, ...file }))

test.each(files)('Pillow\'s file of kind $name has the pixels that Pillow reads', (file) => {
  const { width, height, data } = decodePng(bytesOf(file.png))
  expect([width, height]).toEqual(file.size)
  if ('rgba' in file) expect([...data]).toEqual([...bytesOf(file.rgba)])
  else expect([...data.filter((_, i) => i % 4 === 0)]).toEqual([...bytesOf(file.high)])
})

test('texts of a file are read, of whatever letters', () => {
  const { text } = decodePng(bytesOf(golden.files['RGB with texts'].png))
  expect(text).toEqual({ parameters: 'a café\nSteps: 20, Seed: 1', Title: '猫 and 🐈' })
})

const image = (channels: 1 | 3 | 4): { data: Uint8ClampedArray; width: number; height: number } =>
  ({ data: Uint8ClampedArray.from({ length: 15 * channels }, (_, i) => 37 * i), width: 5, height: 3 })

test('what is written is read again, with its texts', async () => {
  const text = { parameters: 'ü, 2\nSteps: 3', comment: '\u0085 and 日本', empty: '' }
  for (const channels of [1, 3, 4] as const) {
    const { data, width, height } = image(channels)
    const read = await decodeImage(new Blob([encodePng({ data, width, height }, { text })]))
    expect(read.text).toEqual(text)
    const want = Array.from({ length: 60 }, (_, i) => {
      if (i % 4 === 3 && channels < 4) return 255
      return data[channels === 1 ? Math.floor(i / 4) : channels * Math.floor(i / 4) + i % 4]
    })
    expect([...read.data]).toEqual(want)
  }
  const opaque = image(4).data.map((v, i) => (i % 4 === 3 ? 255 : v))
  const png = encodePng({ data: opaque, width: 5, height: 3 })
  expect([png[25], [...decodePng(png).data]]).toEqual([2, [...opaque]]) // Colours without alpha.
})

test('settings travel in a file, and those of other programs are understood', () => {
  const settings = {
    prompt: 'a cat,\nin two lines', negativePrompt: 'blurry', steps: 20, scheduler: 'Euler a', guidanceScale: 7.5,
    seed: 42, width: 512, height: 768, model: 'one: "two", three', negative: { eta: 1 },
  }
  const text = decodePng(encodePng(image(3), { text: settingsText(settings) })).text
  expect(text['parameters']).toBe(
    'a cat,\nin two lines\nNegative prompt: blurry\n' +
      'Steps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 42, Model: "one: \\"two\\", three", Size: 512x768',
  )
  expect(settingsOf(text)).toEqual(settings)
  const { negative: _, ...told } = settings
  expect(settingsOf({ parameters: text['parameters']! })).toEqual(told)
  expect(settingsOf({ parameters: 'just words' })).toEqual({ prompt: 'just words' })
  const foreign = 'a dog\nNegative prompt: a, b\nc\nSteps: 4, Sampler: DDIM, Model: 1234, Lora hashes: "x: 1, y: 2", Version: v1'
  expect(settingsOf({ parameters: foreign }))
    .toEqual({ prompt: 'a dog', negativePrompt: 'a, b\nc', steps: 4, scheduler: 'DDIM', model: '1234' })
  expect(settingsOf({ antipode: 'torn {', Title: 'x' })).toBeUndefined()
})

test('a JPEG file has the pixels that Pillow reads, but for a few steps', async () => {
  const { file, size, rgb } = golden.jpeg
  const { width, height, data, text } = await decodeImage(bytesOf(file))
  expect([width, height, text]).toEqual([...size, {}])
  const want = bytesOf(rgb)
  const gaps = Array.from(data.filter((_, i) => i % 4 !== 3), (v, i) => Math.abs(v - want[i]!))
  expect(Math.max(...gaps)).toBeLessThanOrEqual(4)
})

test('damaged and foreign files are refused by what they are', async () => {
  const png = bytesOf(golden.files.RGBA.png)
  expect(() => decodePng(png.slice(1))).toThrow(ImageError)
  for (const length of [9, 30, 60, png.length - 14]) expect(() => decodePng(png.slice(0, length))).toThrow(ImageError)
  const flipped = png.map((byte, i) => (i === 45 ? byte ^ 1 : byte))
  expect(() => decodePng(flipped)).toThrow('decodePng: expected a PNG file that is whole, got one that is damaged')
  const huge = png.slice()
  new DataView(huge.buffer).setUint32(16, 2 ** 31)
  expect(() => decodePng(huge)).toThrow('expected an image of 1 to 268435456 pixels, got one of 2147483648×3')
  await expect(decodeImage(new TextEncoder().encode('<html>'))).rejects.toThrow(ImageError)
  const webp = new TextEncoder().encode('RIFF____WEBPVP8 ')
  await expect(decodeImage(webp)).rejects.toThrow(UnsupportedError)
  await expect(decodeImage(webp)).rejects.toThrow('decodeImage: expected PNG or JPEG, got WebP; convert it to PNG')
  await expect(decodeImage(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1))).rejects.toThrow(ImageError)
  expect(() => encodePng(image(3), { text: { '': 'x' } })).toThrow(ConfigError)
  expect(() => encodePng(image(3), { text: { 'a\n': 'x' } })).toThrow('expected texts without the character 0')
})
