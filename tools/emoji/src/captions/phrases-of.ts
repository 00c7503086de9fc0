import type { Emoji } from '../emoji/index.ts'
import { couplePhrases, kinPhrases, personOf, personPhrases } from '../people/index.ts'
import { nounOf, plain, withArticle } from '../words/index.ts'
import { flagPhrases } from './flags.ts'
import { writtenPhrases } from './phrases/index.ts'

/** What an emoji is called, whatever the skin: noun phrases with their articles, the plainest first. */
export function phrasesOf(emoji: Emoji): readonly string[] {
  const { name, shortNames: [shortName], category, subcategory } = emoji
  return writtenPhrases(shortName)
    ?? couplePhrases(emoji, [])
    ?? kinPhrases(name)
    ?? clockPhrases(name)
    ?? (category === 'Flags' && / flag$/i.test(name) ? flagPhrases(name) : undefined)
    ?? (subcategory.startsWith('person') ? personPhrases(personOf(emoji)) : undefined)
    ?? (subcategory === 'keycap' ? keyPhrases(shortName) : undefined)
    ?? (subcategory === 'zodiac' ? [`the zodiac sign ${plain(name)}`, `the star sign ${plain(name)}`] : undefined)
    ?? thingPhrases(emoji)
}

/** @param name "CLOCK FACE ONE-THIRTY" */
function clockPhrases(name: string): readonly string[] | undefined {
  const [, hour, minutes] = /^clock face (\w+)[ -](oclock|thirty)$/.exec(plain(name)) ?? []
  if (hour === undefined) return undefined
  const half = minutes === 'thirty'
  return [`a clock showing ${half ? `half past ${hour}` : `${hour} o'clock`}`, `a clock at ${hour} ${half ? 'thirty' : "o'clock"}`]
}

/** @param shortName "three" or "keycap_ten" */
function keyPhrases(shortName: string): readonly string[] {
  const number = shortName.replace('keycap_', '')
  return [`a key with the number ${number}`, `the number ${number} on a key`]
}

function thingPhrases({ name, shortNames, category }: Emoji): readonly string[] {
  const noun = nounOf(name)
  const [, animal] = (category === 'Animals & Nature' && /^(\w+) face$/.exec(noun)) || []
  const [, shape] = /^large (.+)$/.exec(noun) ?? []
  const others = category === 'Smileys & Emotion' ? [] : shortNames.filter((short) => saysMore(short, noun)).map(plain)
  return [noun, ...(animal === undefined ? [] : [`the face of ${withArticle(animal)}`]), ...(shape === undefined ? [] : [shape]), ...others].map(withArticle)
}

/** Whether a short name is of words alone, and one of them is not in the noun. */
function saysMore(shortName: string, noun: string): boolean {
  const words = new Set(noun.split(/[ -]/))
  return /^[a-z_]+$/.test(shortName) && shortName.split('_').some((word) => !words.has(word))
}
