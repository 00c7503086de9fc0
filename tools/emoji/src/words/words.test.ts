import { expect, test } from 'vitest'
import { nounOf, plain, withArticle, withoutArticle, wordCount } from './index.ts'

test.each([
  ['red apple', 'a red apple'], ['apple', 'an apple'], ['hourglass', 'an hourglass'], ['x-ray', 'an x-ray'],
  ['unicorn face', 'a unicorn face'], ['european castle', 'a european castle'], ['one-piece swimsuit', 'a one-piece swimsuit'],
  ['grapes', 'grapes'], ['cactus', 'a cactus'], ['wine glass', 'a wine glass'], ['rhinoceros', 'a rhinoceros'],
  ['bar of soap', 'a bar of soap'], ['skull and crossbones', 'a skull and crossbones'], ['bread', 'bread'], ['canned food', 'canned food'],
  ['two hearts', 'two hearts'], ['mount fuji', 'mount fuji'], ['statue of liberty', 'the statue of liberty'],
])('%s has its article', (phrase, expected) => {
  expect(withArticle(phrase)).toBe(expected)
})

test('an article is taken from the beginning alone', () => {
  expect(['a cat', 'an ox', 'the sun', 'another cat'].map(withoutArticle)).toEqual(['cat', 'ox', 'sun', 'another cat'])
})

test('names are brought to plain letters', () => {
  expect(plain('Åland Islands')).toBe('aland islands')
  expect(plain('Myanmar (Burma)')).toBe('myanmar')
  expect(plain('RESCUE WORKER’S HELMET')).toBe("rescue worker's helmet")
  expect(nounOf('WOMANS HAT')).toBe("woman's hat")
  expect(nounOf('WAVING HAND SIGN')).toBe('waving hand')
  expect(nounOf('HUNDRED POINTS SYMBOL')).toBe('hundred points')
  expect(wordCount('a red heart')).toBe(3)
})
