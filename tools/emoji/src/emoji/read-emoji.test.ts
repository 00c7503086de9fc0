import { expect, test } from 'vitest'
import { readEmoji } from './index.ts'

const row = {
  name: 'WAVING HAND SIGN', unified: '1F44B', short_names: ['wave'], category: 'People & Body', subcategory: 'hand', image: '1f44b.png',
  sort_order: 2, has_img_google: true, skin_variations: { '1F3FF': { image: 'dark.png' }, '1F3FB-1F3FF': { image: 'two.png' } },
}
const plain = { ...row, name: 'KEY', sort_order: 1, skin_variations: undefined, obsoleted_by: '1F511' }

test('emoji are in the order of Unicode, without those that have no picture', () => {
  const [key, hand, ...none] = readEmoji(JSON.stringify([row, plain, { ...row, has_img_google: false }]))
  expect(none).toEqual([])
  expect(key).toMatchObject({ name: 'KEY', obsoletedBy: '1F511', variants: [] })
  expect(hand).toEqual({
    name: 'WAVING HAND SIGN', unified: '1F44B', shortNames: ['wave'], category: 'People & Body', subcategory: 'hand', image: '1f44b.png',
    obsoletedBy: undefined, variants: [{ tones: ['dark'], image: 'dark.png' }, { tones: ['light', 'dark'], image: 'two.png' }],
  })
})

test.each([
  [{}, 'expected a list of emoji'],
  [[1], 'expected an object for emoji 0'],
  [[{ ...row, image: '' }], 'expected image of WAVING HAND SIGN to be a text'],
  [[{ ...row, short_names: [] }], 'expected short_names of WAVING HAND SIGN'],
  [[{ ...row, skin_variations: { '1F600': { image: 'a.png' } } }], 'expected a tone of skin of WAVING HAND SIGN, got 1F600'],
])('what is no list of emoji is refused: %#', (value, message) => {
  expect(() => readEmoji(JSON.stringify(value))).toThrow(`readEmoji: ${message}`)
})
