import type { Emoji, SkinTone } from '../emoji/index.ts'
import { hashOf } from '../hash/index.ts'
import { couplePhrases } from '../people/index.ts'
import { withoutArticle, wordCount } from '../words/index.ts'
import { inTone } from './in-tone.ts'
import { phrasesOf } from './phrases-of.ts'

/** A caption has no more words. */
const maxWords = 16
/** A picture has no more captions. */
const maxCaptions = 5

const frames = ['a picture', 'an image', 'a drawing', 'an icon']

/**
 * 2 to {@link maxCaptions} captions of a picture of an emoji, in plain small letters, of {@link maxWords} words at most, the
 * plainest first: "a red heart", "red heart", "a picture of a red heart".
 * @param tones of the skin in the picture; none for the yellow of those with no tone of their own
 */
export function captionsOf(emoji: Emoji, tones: readonly SkinTone[] = []): readonly string[] {
  const phrases = phrasesIn(emoji, tones)
  const [first = ''] = phrases
  const [tone] = tones
  const bare = withoutArticle(phrasesOf(emoji)[0] ?? first)
  const single = new Set(tones).size === 1
  const short = tone === undefined ? bare : single ? `${bare}, ${tone} skin` : withoutArticle(first)
  const yellow = tone === undefined && emoji.variants.length > 0 ? [inTone(first, 'yellow')] : []
  const frame = frames[hashOf(`${emoji.unified} ${tones.join()}`) % frames.length]
  const framed = /^a (picture|pictogram)\b/.test(first) ? [] : [`${frame} of ${first}`]
  const all = [first, short, ...framed, ...phrases.slice(1), ...yellow]
  return [...new Set(all)].filter((caption) => wordCount(caption) <= maxWords).slice(0, maxCaptions)
}

function phrasesIn(emoji: Emoji, tones: readonly SkinTone[]): readonly string[] {
  const [tone] = tones
  if (tone === undefined) return phrasesOf(emoji)
  return couplePhrases(emoji, tones) ?? phrasesOf(emoji).map((phrase) => inTone(phrase, tone))
}
