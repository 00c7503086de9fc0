import { expect, test } from 'vitest'
import { bodies } from './bodies.ts'
import { games } from './games.ts'
import { nature } from './nature.ts'
import { places } from './places.ts'
import { signs } from './signs.ts'
import { smileys } from './smileys.ts'
import { symbols } from './symbols.ts'
import { tools } from './tools.ts'

const tables = [bodies, games, nature, places, signs, smileys, symbols, tools]
const phrases = tables.flatMap((table) => Object.values(table).flatMap((text) => text.split(' | ')))

test('no emoji is written in two tables', () => {
  const names = tables.flatMap((table) => Object.keys(table))
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})

test('no two emoji are called the same', () => {
  expect(phrases.filter((phrase, i) => phrases.indexOf(phrase) !== i)).toEqual([])
})

test('phrases are small letters, at most thirteen words with three left for a frame, and no vowel follows "a"', () => {
  expect(phrases.filter((phrase) => !/^[a-z'-]+(,? [a-z'-]+)*$/.test(phrase))).toEqual([])
  expect(phrases.filter((phrase) => phrase.split(' ').length > 13)).toEqual([])
  expect(phrases.filter((phrase) => /\b(?<!letter )a [aeiou](?!ni|se|uro|ne-|fo)/.test(phrase))).toEqual([])
})
