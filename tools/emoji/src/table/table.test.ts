import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '@antipode/core'
import { expect, test } from 'vitest'
import { drawingsOf, type Emoji, emojiOf, familyOf, splitOf, stableHash } from './index.ts'

const table: unknown = JSON.parse(
  readFileSync(fileURLToPath(import.meta.resolve('emoji-datasource-google/emoji.json')), 'utf8'),
)
const all = emojiOf(table)
const called = (shortName: string): Emoji => all.find((one) => one.shortName === shortName)!
const kin = (...names: readonly string[]): number => new Set(names.map((name) => familyOf(called(name)))).size

test('every picture that was drawn is one of an emoji, with its skin tones', () => {
  expect(all).toHaveLength(1911)
  expect(drawingsOf([called('wave')]).map(({ tone, image }) => [tone, image])).toEqual([
    [undefined, '1f44b.png'], ['1F3FB', '1f44b-1f3fb.png'], ['1F3FC', '1f44b-1f3fc.png'], ['1F3FD', '1f44b-1f3fd.png'],
    ['1F3FE', '1f44b-1f3fe.png'], ['1F3FF', '1f44b-1f3ff.png'],
  ])
  const row = {
    name: 'A', short_name: 'a', short_names: ['a'], unified: '1F1E6', category: 'c', subcategory: 's', image: 'a.png',
  }
  const drawn = emojiOf([
    { ...row, has_img_google: false },
    { ...row, has_img_google: true, skin_variations: { '1F3FB': { image: 'b.png', has_img_google: false } } },
  ])
  expect(drawingsOf(drawn).map(({ image }) => image)).toEqual(['a.png'])
  for (const wrong of [{}, [{}], [null], [{ ...row, name: 3 }]]) expect(() => emojiOf(wrong)).toThrow(ConfigError)
})

test('genders and directions of one emoji are one family, and others are not', () => {
  expect(kin('astronaut', 'male-astronaut', 'female-astronaut')).toBe(1)
  expect(kin('runner', 'man-running', 'woman_running_facing_right', 'person_running_facing_right')).toBe(1)
  expect(kin('couplekiss', 'woman-kiss-man', 'man-kiss-man')).toBe(1)
  expect(kin('people_holding_hands', 'two_men_holding_hands', 'man_and_woman_holding_hands')).toBe(1)
  expect(kin('family', 'man-woman-boy', 'family_adult_child')).toBe(1)
  expect(kin('adult', 'man', 'woman')).toBe(1)
  expect(kin('cat', 'cat2', 'astronaut', 'singer', 'mage', 'fairy', 'kiss', 'couplekiss')).toBe(8)
})

test('older and newer names of one emoji, as the data links them, are one family', () => {
  const rows = table as readonly { unified: string; obsoleted_by?: string }[]
  const byCode = new Map(all.map((one) => [one.unified, one]))
  const links = rows.filter((row) => row.obsoleted_by !== undefined)
  expect(links.length).toBeGreaterThan(20)
  const apart = links.filter(({ unified, obsoleted_by }) =>
    familyOf(byCode.get(unified)!) !== familyOf(byCode.get(obsoleted_by!)!))
  expect(apart).toEqual([])
})

test('a family always is in the same split, and about half of them in either', () => {
  // FIPS 180-2, appendix B.1: SHA-256 of "abc".
  expect(stableHash('abc')).toBe(0xba7816bf8f01)
  const families = [...new Set(all.map(familyOf))]
  const labelled = families.filter((family) => splitOf(family) === 'labeller').length
  // Five standard deviations of a fair coin.
  expect(Math.abs(labelled - families.length / 2)).toBeLessThan(5 * Math.sqrt(families.length / 4))
  // By Python: int.from_bytes(hashlib.sha256(b'split family').digest()[:6], 'big') % 2, and so on.
  expect(['family', 'person-200D-1F680', '1F34E', 'kiss', 'claus'].map(splitOf)).toEqual(['judge', 'judge', 'judge', 'labeller', 'labeller'])
})
