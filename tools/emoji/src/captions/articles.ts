/** Nouns that stand for what is not counted, or for several. */
const uncounted = new Set([
  'bacon', 'bread', 'broccoli', 'butter', 'camping', 'coral', 'corn', 'curry', 'dango', 'fire', 'fog', 'food', 'garlic', 'hair', 'ice',
  'lettuce', 'lightning', 'love', 'luggage', 'meat', 'men', 'milk', 'money', 'oden', 'om', 'paella', 'people', 'poo', 'popcorn',
  'rain', 'rice', 'salad', 'salt', 'sand', 'skin', 'snow', 'soap', 'spaghetti', 'steam', 'sushi', 'sweat', 'tea', 'thread', 'wifi', 'wind',
  'women', 'wood', 'yang', 'yarn', 'zzz', 'bowling', 'claus', 'fuji', 'down', 'up', 'seaweed',
])

/** Nouns in s that stand for one thing. */
const singular = /(?:ss|us|is|lens|rhinoceros)$/

/** Where a phrase has its article or its number already, or is a name. */
const determined = /^(?:(?:the|a|an|one|two|three|letters|mount|mrs|santa|tokyo) |father christmas|mother christmas)/

/** Where what a phrase is about ends: "smiling face | with …", "man | running". */
const behind = new RegExp(
  '^(?:with|without|of|for|out|in|on|at|over|under|above|behind|between|through|and|as|that|to|from|around|or|dressed|tilted|going|' +
  '[a-z]{2,}ing)$',
)
/** Nouns in -ing. */
const nouns = /^(?:building|ring|wing|string|dumpling|seedling|lightning|bowling|camping)$/

const vowel = /^(?:[aeiou]|hour|x-ray|mx |sos |ng )/
/** Written with a vowel, spoken without. */
const consonant = /^(?:uni|euro|us |one|once)/

/** A phrase with the article that English sets before it: "a red heart", "an apple", "two hearts", "garlic". */
export function withArticle(phrase: string): string {
  if (determined.test(phrase) || !(phrase.endsWith(' flag') || isOne(headOf(phrase)))) return phrase
  return `${vowel.test(phrase) && !consonant.test(phrase) ? 'an' : 'a'} ${phrase}`
}

/** What a phrase is about: its last word before "with", "of" and the like, or before a second word in -ing. */
function headOf(phrase: string): string {
  const words = phrase.split(' ')
  const end = words.findIndex((word, i) => i > 0 && behind.test(word) && !(nouns.test(word) || isAdjective(words, i)))
  return words[(end === -1 ? words.length : end) - 1] ?? ''
}

/** Whether a word in -ing belongs to the noun after it: "hearing aid", "rowing boat". */
function isAdjective(words: readonly string[], i: number): boolean {
  return /^(?:hearing|riding|rowing|shopping|playing|racing|running|hiking|diving|fishing|sewing|folding|boxing|smiling|popping)$/
    .test(words[i] ?? '') && /^(?:aid|boat|bags?|trolley|cards?|car|shoe|shirt|boot|mask|pole|needle|hand|glove|eyes|poo|face|cork|purple|cat|devil)$/
    .test(words[i + 1] ?? '')
}

/** Whether a noun stands for one thing that can be counted. */
function isOne(noun: string): boolean {
  return !uncounted.has(noun) && (!noun.endsWith('s') || singular.test(noun))
}
