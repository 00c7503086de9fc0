import { FakeHost } from '@antipode/core/testing'
import { expect, test } from 'vitest'
import { DatasetError } from '../pairs/index.ts'
import { fit, readPicture } from './index.ts'

test('a picture is fitted by covering the size and cutting its middle out', async () => {
  const data = Uint8ClampedArray.from({ length: 4 * 4 * 8 }, (_, i) => (Math.floor(i / 4) % 8) * 10)
  const host = new FakeHost()
  {
    using wide = await fit(host, { width: 8, height: 4, data }, { height: 4, width: 4 })
    expect([wide.original, wide.crop, wide.pixels.shape]).toEqual([[4, 8], [0, 2], [1, 3, 4, 4]])
    using pixels = wide.pixels
    expect([...(await pixels.data()).subarray(0, 4)].map((v) => Math.round((v + 1) * 127.5))).toEqual([20, 30, 40, 50])
  }
  using larger = await fit(host, { width: 8, height: 4, data }, { height: 12, width: 6 })
  expect([larger.crop, larger.pixels.shape]).toEqual([[0, 9], [1, 3, 12, 6]])
  larger.pixels.dispose()
  larger[Symbol.dispose]()
  expect(host.memory().tensors).toBe(0)
})

test('other and damaged files are refused with the row that they belong to', async () => {
  const said = async (...bytes: readonly number[]): Promise<string> => {
    const error = await readPicture('pairs.jsonl:7', Uint8Array.from(bytes)).then(
      () => undefined, (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(DatasetError)
    return (error as DatasetError).message
  }
  expect(await said()).toMatch(
    /^pairs\.jsonl:7: .*expected an image file, such as PNG or JPEG, got another.*; or leave out the row$/,
  )
  expect(await said(0x47, 0x49, 0x46, 0x38)).toContain('got GIF')
  expect(await said(0xff, 0xd8, 0xff, 0xd8)).toContain('damaged')
})
