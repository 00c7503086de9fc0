import { stableHash } from '../table/index.ts'
import type { Drawing } from '../table/index.ts'
import { withArticle } from './articles.ts'
import { phrasesOf } from './phrases.ts'
import { toned } from './tones.ts'

/** Words of the longest caption. */
export const mostWords = 16
const mostCaptions = 5

const templates: readonly ((phrase: string) => string)[] = [
  (phrase) => `a picture of ${phrase}`,
  (phrase) => `a drawing of ${phrase}`,
  (phrase) => `an icon of ${phrase}`,
  (phrase) => `a cartoon of ${phrase}`,
  (phrase) => `${phrase} on a white background`,
]

/**
 * What a person would type to see a picture: two to five captions in lower case, the plainest first, of at most 16 words
 * each: "a red apple", "an apple", "red apple", "a drawing of a red apple".
 */
export function captionsOf({ emoji, tone }: Drawing): readonly string[] {
  const [first = '', ...others] = toned(phrasesOf(emoji), tone)
  const main = withArticle(first)
  const template = templates[stableHash(`caption ${emoji.shortName} ${tone ?? ''}`) % templates.length]!
  const all = [main, ...others.slice(0, 2).map(withArticle), first.replace(/^the /, ''), template(main)]
  return [...new Set(all)].filter((caption) => caption.split(' ').length <= mostWords).slice(0, mostCaptions)
}
