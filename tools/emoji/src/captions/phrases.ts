import type { Emoji } from '../table/index.ts'
import { withArticle } from './articles.ts'
import { faces } from './faces.ts'
import { flagPhrases } from './flags.ts'
import { people } from './people.ts'
import { symbols } from './symbols.ts'
import { things } from './things.ts'

const called = new Map(Object.entries({ ...faces, ...people, ...things, ...symbols }))

/** What an emoji is called, without the article before it, the plainest first: "red apple", "apple". */
export function phrasesOf(emoji: Emoji): readonly string[] {
  const { shortName, subcategory } = emoji
  const own = called.get(shortName)
  if (own) return own
  if (/^(?:country|subdivision)-flag$/.test(subcategory)) return flagPhrases(emoji.name, shortName)
  const name = emoji.name.toLowerCase().replaceAll('’', "'")
  for (const [pattern, phrases] of patterns) {
    const match = pattern.exec(name)
    if (match) return phrases(match)
  }
  if (subcategory === 'zodiac') return [`${name} zodiac sign`, `zodiac sign of ${name}`]
  const phrase = cleaned(name, emoji.category)
  return [phrase, ...(subcategory.startsWith('face-') ? [] : shortPhrases(emoji, phrase))]
}

const hours = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']
const digits = ['zero', ...hours]

/** Names that are lists or codes, and what to make of them. */
const patterns: readonly (readonly [RegExp, (match: RegExpExecArray) => string[]])[] = [
  [/^(.+): (?:(\S+) hair|bald)$/, ([, who, hair]) => (hair === undefined
    ? [`bald ${who}`, `${who} without hair`]
    : [`${who} with ${hair} hair`, `${hair} haired ${who}`])],
  [/^kiss: (\S+), (\S+)$/, ([, a, b]) => [`${twoOf(a, b)} kissing`]],
  [/^couple with heart: (\S+), (\S+)$/, ([, a, b]) => [`${twoOf(a, b)} in love`, `${twoOf(a, b)} under a heart`]],
  [/^family: (.+)$/, ([, who = '']) => [`family of ${membersOf(who.split(', '))}`]],
  [/^clock face (\S+) oclock$/, ([, hour]) => [`clock at ${hour} o'clock`, `clock face that shows ${hour} o'clock`]],
  [/^clock face (\S+)-thirty$/, ([, hour]) => [`clock at half past ${hour}`, `clock face that shows ${hour} thirty`]],
  [/^keycap (\d)$/, ([, digit]) => [`key with the number ${digit}`, `the number ${digits[Number(digit)]} on a key`]],
  [/^keycap ten$/, () => ['key with the number 10', 'the number ten on a key']],
  [/^squared (\S\S)$/, ([, letters]) => [`${letters} button`, `button with the letters ${letters}`]],
  [/^squared (\S+)/, ([, word]) => [`${word} button`, `button with the word ${word}`]],
]

/** "woman and a man", "two men" */
function twoOf(a = '', b = ''): string {
  return a === b ? `two ${manyOf(a)}` : `${a} and ${withArticle(b)}`
}

const manyOf = (who: string): string => (who === 'child' ? 'children' : who.endsWith('man') ? who.replace(/man$/, 'men') : `${who}s`)

/** "a man, a woman and two girls", as it is typed without commas: "a man and a woman and two girls" */
function membersOf(members: readonly string[]): string {
  return [...new Set(members)].map((who) => {
    const count = members.filter((one) => one === who).length
    return count === 1 ? withArticle(who) : `two ${manyOf(who)}`
  }).join(' and ')
}

/** A Unicode name as a person would type it. */
function cleaned(name: string, category: string): string {
  const plain = name
    .replace(/^heavy /, '').replace(/^white (?=heavy)/, '')
    .replace(/^(black|white) ((?:large|medium|small)(?: small)?) /, '$2 $1 ')
    .replace(/ symbol$/, category === 'Symbols' ? ' sign' : '').replace(/\b(mans|womans)\b/, (who) => who.replace(/s$/, "'s"))
    .replace(/ hand sign$| sign(?= in)/, ' hand').replace(/\b(lion|zebra|giraffe|hamster|panda|unicorn) face$/, '$1')
  return withInnerArticles(plain)
}

/** Articles before what stands behind "with" and the like: "heart with arrow" becomes "heart with an arrow". */
function withInnerArticles(phrase: string): string {
  const [first = '', ...rest] = phrase.split(/ (with|wearing|getting|feeding|rowing|bouncing|doing|in) /)
  return rest.reduce(
    (text, part, i) => `${text} ${i % 2 === 0 ? part : part.split(' and ').map(withArticle).join(' and ')}`, first,
  )
}

/** Short names that nobody would type to see the picture. */
const unsaid =
  /^(?:tada|mega|japan|flipper|three button mouse|birthday|unlock|vhs|sound|sparkler|heartpulse|compression|lacrosse|snowboarder|.* cat|heavy .*|.* probing cane|.* pad|(?:black|white) .* square|small red .*)$/

/** Short names that say something else than the name does. */
function shortPhrases({ shortNames }: Emoji, phrase: string): string[] {
  const squeezed = (text: string): string => text.replace(/[^a-z]|\ban? /g, '')
  return shortNames.map((name) => name.replace(/[_-]/g, ' '))
    .filter((short) => /^[a-z ]{3,}$/.test(short) && squeezed(short) !== squeezed(phrase) && !unsaid.test(short))
    .map(withInnerArticles)
}
