import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { drawingsOf, type Emoji, emojiOf } from '../table/index.ts'
import { withArticle } from './articles.ts'
import { captionsOf, mostWords } from './index.ts'
import { phrasesOf } from './phrases.ts'

const emoji = (name: string, more: Partial<Emoji> = {}): Emoji => ({
  name, shortName: 'none', shortNames: [], unified: '1F600', category: 'Objects', subcategory: 'tool', images: {}, ...more,
})
const first = (name: string, more: Partial<Emoji> = {}, tone?: string): string =>
  captionsOf({ emoji: emoji(name, more), image: 'a.png', ...(tone === undefined ? {} : { tone }) })[0]!

test.each([
  ['red heart', 'a red heart'], ['apple', 'an apple'], ['hourglass', 'an hourglass'], ['unicorn', 'a unicorn'],
  ['european castle', 'a european castle'], ['x-ray', 'an x-ray'], ['two hearts', 'two hearts'], ['grapes', 'grapes'],
  ['octopus', 'an octopus'], ['rhinoceros', 'a rhinoceros'], ['dress', 'a dress'], ['garlic', 'garlic'], ['orange book', 'an orange book'],
  ['hands making a heart', 'hands making a heart'], ['woman lifting weights', 'a woman lifting weights'],
  ['glass of milk', 'a glass of milk'], ['logs of wood', 'logs of wood'], ['the milky way', 'the milky way'],
  ['building under construction', 'a building under construction'], ['light skin tone', 'a light skin tone'],
  ['face with tears of joy', 'a face with tears of joy'], ['rowing boat', 'a rowing boat'], ['bahamas flag', 'a bahamas flag'],
])('%s has its article: %s', (phrase, expected) => {
  expect(withArticle(phrase)).toBe(expected)
})

test.each([
  ['GRINNING FACE', 'a grinning face'],
  ['FACE WITH COWBOY HAT', 'a face with a cowboy hat'],
  ['LOCK WITH INK PEN', 'a lock with an ink pen'],
  ['CLOUD WITH SNOW', 'a cloud with snow'],
  ['FULL MOON SYMBOL', 'a full moon'],
  ['WOMANS HAT', "a woman's hat"],
  ['RESCUE WORKER’S BAG', "a rescue worker's bag"],
  ['BLACK LARGE SQUARE', 'a large black square'],
  ['MAN: CURLY HAIR', 'a man with curly hair'],
  ['WOMAN: BALD', 'a bald woman'],
  ['KISS: WOMAN, MAN', 'a woman and a man kissing'],
  ['COUPLE WITH HEART: MAN, MAN', 'two men in love'],
  ['FAMILY: ADULT, CHILD, CHILD', 'a family of an adult and two children'],
  ['FAMILY: MAN, WOMAN, GIRL, BOY', 'a family of a man and a woman and a girl and a boy'],
  ['CLOCK FACE TWO-THIRTY', 'a clock at half past two'],
  ['KEYCAP 7', 'a key with the number 7'],
  ['SQUARED COOL', 'a cool button'],
])('the name %s is typed as %s', (name, expected) => {
  expect(first(name)).toBe(expected)
})

test('names that read badly are said in other words, and flags by their places', () => {
  expect(first('HEAVY BLACK HEART', { shortName: 'heart' })).toBe('a red heart')
  const flag = { subcategory: 'country-flag' }
  expect(first('Japan Flag', { ...flag, shortName: 'jp' })).toBe('the flag of japan')
  expect(first('Bahamas Flag', { ...flag, shortName: 'flag-bs' })).toBe('the flag of the bahamas')
  expect(first('Côte d’Ivoire Flag', { ...flag, shortName: 'flag-ci' })).toBe('the flag of ivory coast')
  expect(first('São Tomé & Príncipe Flag', { ...flag, shortName: 'flag-st' })).toBe('the flag of sao tome and principe')
  expect(first('ARIES', { subcategory: 'zodiac' })).toBe('an aries zodiac sign')
})

test('short names are captions where they say something else', () => {
  expect(phrasesOf(emoji('DELIVERY TRUCK', { shortNames: ['truck', 'delivery_truck', 'truck2', 'tada'] })))
    .toEqual(['delivery truck', 'truck'])
  expect(phrasesOf(emoji('GRIMACING FACE', { subcategory: 'face-neutral', shortNames: ['grim'] }))).toEqual(['grimacing face'])
})

test('skin tones are words, of one person or two', () => {
  const captions = captionsOf({ emoji: emoji('WOMAN ASTRONAUT'), tone: '1F3FF', image: 'a.png' })
  expect(captions.slice(0, 3)).toEqual([
    'a woman astronaut with dark skin', 'a dark skinned woman astronaut', 'woman astronaut with dark skin',
  ])
  expect(first('MAN: RED HAIR', {}, '1F3FC')).toBe('a man with red hair and medium light skin')
  expect(first('MAN WALKING FACING RIGHT', {}, '1F3FB')).toBe('a light skinned man walking facing right')
  expect(first('KISS: MAN, MAN', {}, '1F3FE')).toBe('two men kissing with medium dark skin')
  expect(first('KISS: WOMAN, MAN', {}, '1F3FB-1F3FF')).toBe('a woman and a man kissing with light skin and dark skin')
})

test('all emoji have two to five plain captions of at most sixteen words', () => {
  const file = fileURLToPath(import.meta.resolve('emoji-datasource-google/emoji.json'))
  const drawings = drawingsOf(emojiOf(JSON.parse(readFileSync(file, 'utf8'))))
  expect(drawings).toHaveLength(3786)
  const isPlain = (caption: string): boolean => /^[a-z0-9]+(?:[' -][a-z0-9]+)*$/.test(caption) &&
    !/\b(?:emoji|symbol for|ideograph|an? (?:an?|the)) /.test(caption) && caption.split(' ').length <= mostWords
  const wrong = drawings.map((drawing) => captionsOf(drawing)).filter((captions) =>
    captions.length < 2 || captions.length > 5 || new Set(captions).size < captions.length || !captions.every(isPlain))
  expect(wrong).toEqual([])
})
