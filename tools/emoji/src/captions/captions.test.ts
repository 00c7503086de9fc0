import { describe, expect, test } from 'vitest'
import type { Emoji } from '../emoji/index.ts'
import { captionsOf } from './captions.ts'
import { flagPhrases } from './flags.ts'
import { inTone } from './in-tone.ts'
import { phrasesOf } from './phrases-of.ts'

const emoji = (name: string, shortName: string, place: string, more: Partial<Emoji> = {}): Emoji => {
  const [category = '', subcategory = ''] = place.split('/')
  return { name, shortNames: [shortName], category, subcategory, unified: '1F600', image: 'a.png', obsoletedBy: undefined, variants: [], ...more }
}
const variants = [{ tones: ['dark'], image: 'b.png' }] as const
const phrases = (...row: Parameters<typeof emoji>): readonly string[] => phrasesOf(emoji(...row))

test('a plain thing has its name, with an article and without, and in a frame', () => {
  const [first, bare, framed, ...none] = captionsOf(emoji('RED APPLE', 'red_apple', 'Food & Drink/food-fruit'))
  expect([first, bare, none]).toEqual(['a red apple', 'red apple', []])
  expect(framed).toMatch(/^(a picture|an image|a drawing|an icon) of a red apple$/)
})

test('the frame depends on the emoji and its tones', () => {
  const frames = Array.from({ length: 40 }, (_, i) => captionsOf(emoji('KEY', 'key', 'Objects/lock', { unified: String(i) }))[2])
  expect(new Set(frames).size).toBe(4)
})

test.each([
  ['a name of Unicode', ['HEAVY BLACK HEART', 'heart', 'Smileys & Emotion/heart'], ['a red heart']],
  ['a hand sign', ['ODD HAND SIGN', 'odd_hand', 'People & Body/hand-fingers-open'], ['an odd hand']],
  ['a symbol for', ['SYMBOL FOR SOUP', 'soup', 'Symbols/other-symbol'], ['a soup']],
  ['a short name that says more', ['BICYCLE', 'bike', 'Travel & Places/transport-ground'], ['a bicycle', 'a bike']],
  ['the face of an animal', ['OX FACE', 'ox_face', 'Animals & Nature/animal-mammal'], ['an ox face', 'the face of an ox']],
  ['a large shape', ['LARGE ORANGE CIRCLE', 'large_orange_circle', 'Symbols/geometric'], ['a large orange circle', 'an orange circle']],
  ['a clock', ['CLOCK FACE ONE-THIRTY', 'clock130', 'Travel & Places/time'], ['a clock showing half past one', 'a clock at one thirty']],
  ['a key', ['KEYCAP TEN', 'keycap_ten', 'Symbols/keycap'], ['a key with the number ten', 'the number ten on a key']],
  ['a sign of the zodiac', ['LEO', 'leo', 'Symbols/zodiac'], ['the zodiac sign leo', 'the star sign leo']],
  ['a role', ['WOMAN HEALTH WORKER', 'female-doctor', 'People & Body/person-role'], ['a woman health worker', 'a female health worker', 'a female doctor']],
  ['a role of anybody', ['ASTRONAUT', 'astronaut', 'People & Body/person-role'], ['an astronaut']],
  ['an act', ['MAN TIPPING HAND', 'man-tipping-hand', 'People & Body/person-gesture'], ['a man tipping his hand', 'a man with one palm up']],
  ['an old name of an act', ['PEDESTRIAN', 'walking', 'People & Body/person-activity'], ['a person walking', 'a walking person']],
  ['a direction', ['WOMAN RUNNING FACING RIGHT', 'w', 'People & Body/person-activity'], ['a woman running facing right', 'a running woman facing right']],
  ['a couple', ['KISS: WOMAN, MAN', 'woman-kiss-man', 'People & Body/family'], ['a woman and a man kissing', 'a woman and a man kissing with a heart above them']],
  ['a family', ['FAMILY: MAN, GIRL, GIRL', 'man-girl-girl', 'People & Body/family'], ['a family of a man and two girls', 'a pictogram of a man and two girls']],
  ['a flag', ['Japan Flag', 'flag-jp', 'Flags/country-flag'], ['the flag of japan', 'japan flag']],
] satisfies readonly [string, Parameters<typeof emoji>, readonly string[]][])('%s is called what a person would type', (_, row, expected) => {
  expect(phrases(...row)).toEqual(expected)
})

test.each([
  ['Côte d’Ivoire Flag', ["the flag of cote d'ivoire", 'the flag of ivory coast', "cote d'ivoire flag"]],
  ['Turks & Caicos Islands Flag', ['the flag of the turks and caicos islands', 'turks and caicos islands flag']],
  ['U.S. Virgin Islands Flag', ['the flag of the us virgin islands', 'us virgin islands flag']],
  ['St. Lucia Flag', ['the flag of saint lucia', 'saint lucia flag']],
])('%s is written in plain letters', (name, expected) => {
  expect(flagPhrases(name)).toEqual(expected)
})

describe('tones of skin', () => {
  test.each([
    ['a woman astronaut', 'a woman astronaut with dark skin'],
    ['a man with red hair', 'a man with dark skin and red hair'],
    ['a woman running facing right', 'a woman with dark skin running facing right'],
    ['a waving hand', 'a waving hand with dark skin'],
    ['clapping hands', 'clapping hands with dark skin'],
    ['two hands clapping', 'two hands with dark skin clapping'],
  ])('follow the noun: %s', (phrase, expected) => {
    expect(inTone(phrase, 'dark')).toBe(expected)
  })

  test('are in all captions, and yellow is said once of what has others', () => {
    const astronaut = emoji('WOMAN ASTRONAUT', 'female-astronaut', 'People & Body/person-role', { variants })
    const dark = captionsOf(astronaut, ['dark'])
    expect(dark.slice(0, 2)).toEqual(['a woman astronaut with dark skin', 'woman astronaut, dark skin'])
    expect(dark.every((caption) => caption.includes('dark skin'))).toBe(true)
    expect(captionsOf(astronaut).filter((caption) => caption.includes('skin'))).toEqual(['a woman astronaut with yellow skin'])
  })

  test('of two people are said of each, in their order, where they differ', () => {
    const couple = emoji('MAN AND WOMAN HOLDING HANDS', 'man_and_woman_holding_hands', 'People & Body/family', { variants })
    expect(captionsOf(couple, ['light', 'dark'])[0]).toBe('a woman with light skin and a man with dark skin holding hands')
    expect(captionsOf(couple, ['dark', 'dark'])[0]).toBe('a woman and a man with dark skin holding hands')
    expect(captionsOf(couple, ['dark'])[0]).toBe('a woman and a man with dark skin holding hands')
  })

  test('leave out a caption of more than sixteen words', () => {
    const kiss = emoji('KISS', 'couplekiss', 'People & Body/family', { variants })
    const captions = captionsOf(kiss, ['medium-light', 'medium-dark'])
    expect(captions.length).toBeGreaterThanOrEqual(2)
    expect(Math.max(...captions.map((caption) => caption.split(' ').length))).toBeLessThanOrEqual(16)
    expect(captions.join()).not.toContain('above them')
  })
})
