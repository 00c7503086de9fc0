import { expect, test } from 'vitest'
import type { Emoji } from '../emoji/index.ts'
import { familiesOf, splitOf } from './index.ts'

const person = (name: string, unified: string, obsoletedBy?: string, subcategory = 'person-role'): Emoji => ({
  name, unified, obsoletedBy, subcategory, shortNames: [name], category: 'People & Body', image: `${unified}.png`, variants: [],
})
const familyNames = (...emoji: readonly Emoji[]): readonly (string | undefined)[] => {
  const families = familiesOf(emoji)
  return emoji.map(({ image }) => families.get(image))
}

test('names that differ in man, woman or person alone are of one family, facing either way', () => {
  expect(new Set(familyNames(
    person('RUNNER', '1'), person('MAN RUNNING', '2'), person('WOMAN RUNNING', '3'), person('PERSON RUNNING FACING RIGHT', '4'),
  ))).toEqual(new Set(['running']))
  expect(familyNames(person('ASTRONAUT', '1'), person('WOMAN ASTRONAUT', '2'), person('DEAF MAN', '3'))).toEqual(['astronaut', 'astronaut', 'deaf'])
})

test('an emoji is of the family of what replaces it, through others too, in any order', () => {
  const [a, b, c] = [person('TUB', '1', '2'), person('SINK', '2', '3'), person('BASIN', '3')]
  expect(familyNames(a, b, c)).toEqual(['basin', 'basin', 'basin'])
  expect(familyNames(c, b, a)).toEqual(['basin', 'basin', 'basin'])
})

test('couples are of one family by what they do, and a kiss mark of none', () => {
  const family = 'family'
  expect(familyNames(
    person('KISS', '1', undefined, family), person('KISS: MAN, MAN', '2', undefined, family), person('KISS MARK', '3', undefined, 'emotion'),
    person('FAMILY: MAN, BOY', '4', undefined, family), person('FAMILY', '5'), person('TWO MEN HOLDING HANDS', '6', undefined, family),
  )).toEqual(['couple kissing', 'couple kissing', 'kiss mark', 'family', 'family', 'couple holding hands'])
})

test('half of the families go to each split, and a family always to the same', () => {
  const names = Array.from({ length: 2000 }, (_, i) => `family ${i}`)
  const share = names.filter((name) => splitOf(name) === 'judge').length / names.length
  // Three standard deviations of a fair coin.
  expect(Math.abs(share - 0.5)).toBeLessThan(3 * Math.sqrt(0.25 / 2000))
  // By Python's hashlib.
  expect(['running', 'astronaut', 'red apple', 'family'].map(splitOf)).toEqual(['labeller', 'judge', 'judge', 'judge'])
})
