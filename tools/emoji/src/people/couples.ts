import type { Emoji, SkinTone } from '../emoji/index.ts'

/** Two of a couple, in the order in which Unicode names their tones of skin, and what they do. */
interface Couple {
  readonly pair: readonly [string, string]
  readonly acts: readonly string[]
}

const holding = ['holding hands']
const kissing = ['kissing', 'kissing with a heart above them']
const loving = ['in love', 'with a heart above them']

const couples: Readonly<Record<string, Couple>> = {
  people_holding_hands: { pair: ['person', 'person'], acts: holding },
  two_women_holding_hands: { pair: ['woman', 'woman'], acts: holding },
  man_and_woman_holding_hands: { pair: ['woman', 'man'], acts: holding },
  two_men_holding_hands: { pair: ['man', 'man'], acts: holding },
  couplekiss: { pair: ['person', 'person'], acts: kissing },
  'woman-kiss-man': { pair: ['woman', 'man'], acts: kissing },
  'man-kiss-man': { pair: ['man', 'man'], acts: kissing },
  'woman-kiss-woman': { pair: ['woman', 'woman'], acts: kissing },
  couple_with_heart: { pair: ['person', 'person'], acts: loving },
  'woman-heart-man': { pair: ['woman', 'man'], acts: loving },
  'man-heart-man': { pair: ['man', 'man'], acts: loving },
  'woman-heart-woman': { pair: ['woman', 'woman'], acts: loving },
  handshake: { pair: ['hand', 'hand'], acts: ['shaking', 'in a handshake'] },
}
const plurals: Readonly<Record<string, string>> = { person: 'people', woman: 'women', man: 'men', hand: 'hands' }

/**
 * What a couple is called, in tones of skin of its own or none; nothing if an emoji is no couple.
 * "two women with dark skin holding hands", "a woman with light skin and a man with dark skin kissing"
 */
export function couplePhrases({ shortNames: [shortName] }: Emoji, tones: readonly SkinTone[]): readonly string[] | undefined {
  const couple = couples[shortName]
  if (!couple) return undefined
  const [[a, b], [tone, other = tone]] = [couple.pair, tones]
  if (tone !== other) return couple.acts.map((act) => `a ${a} with ${tone} skin and a ${b} with ${other} skin ${act}`)
  const skin = tone === undefined ? '' : ` with ${tone} skin`
  return couple.acts.map((act) => `${a === b ? `two ${plurals[a]}` : `a ${a} and a ${b}`}${skin} ${act}`)
}
