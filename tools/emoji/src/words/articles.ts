/** Nouns that name a substance, or a doing, and take no article. */
const substances = new Set([
  'bacon', 'bamboo', 'bread', 'broccoli', 'butter', 'camping', 'confetti', 'corn', 'dna', 'fog', 'food', 'garlic', 'hair', 'meat',
  'milk', 'money', 'popcorn', 'rice', 'soap', 'spaghetti', 'sushi', 'water', 'wood',
])
/** Names of which there is one. */
const proper = /^(mount |santa |mrs |mx |tokyo tower)/
const single = /^(statue of liberty|kaaba|milky way|sun|earth)\b/
/** What ends in an s and is not several. */
const singularS = /(ss|us|is)$|^(rhinoceros|lens|chess)$/
/** Written with a vowel and spoken without, or the other way round. */
const spokenA = /^(uni|use|euro|ewe|one|u-|ufo\b)/
const spokenAn = /^(hour|heir|honest|x-ray|mri\b|lp\b)/
/** What comes after the noun that a phrase is about. */
const after = / (?:with|without|of|in|on|over|behind|at|and|for|facing|from|under)\b.*/

/** A noun phrase with "a", "an" or "the" before it, or with nothing where it is plural, a substance or a proper name. */
export function withArticle(phrase: string): string {
  if (/^(a|an|the|two|three) /.test(phrase) || proper.test(phrase)) return phrase
  if (single.test(phrase)) return `the ${phrase}`
  const noun = phrase.replace(after, '').split(' ').at(-1) ?? phrase
  if (substances.has(noun) || (noun.endsWith('s') && !singularS.test(noun))) return phrase
  const vowel = (/^[aeiou]/.test(phrase) && !spokenA.test(phrase)) || spokenAn.test(phrase)
  return `${vowel ? 'an' : 'a'} ${phrase}`
}

/** A phrase without "a", "an" or "the" at its beginning. */
export const withoutArticle = (phrase: string): string => phrase.replace(/^(a|an|the) /, '')
