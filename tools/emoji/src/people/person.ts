import type { Emoji } from '../emoji/index.ts'

/** What an emoji shows of one person: who it is, and what he or she is or does. */
export interface Person {
  readonly who: 'man' | 'woman' | 'person' | undefined
  /** What all of the family do or are, "running" or "astronaut". */
  readonly act: string
  /** Whether the person is said to face right. */
  readonly right: boolean
}

/** Names for no one in particular that differ from those for men and women, and what the latter say. */
const same: Readonly<Record<string, string>> = {
  'bearded person': 'beard', 'person with blond hair': 'blond hair', 'person with pouting face': 'pouting',
  'face with no good gesture': 'gesturing no', 'face with ok gesture': 'gesturing ok', 'information desk person': 'tipping hand',
  'happy person raising one hand': 'raising hand', 'person bowing deeply': 'bowing', 'face palm': 'facepalming', shrug: 'shrugging',
  guardsman: 'guard', 'man with turban': 'wearing turban', 'bride with veil': 'with veil', 'breast-feeding': 'feeding baby',
  'face massage': 'getting massage', haircut: 'getting haircut', pedestrian: 'walking', runner: 'running', dancer: 'dancing',
  surfer: 'surfing', rowboat: 'rowing boat', swimmer: 'swimming', bicyclist: 'biking', 'mountain bicyclist': 'mountain biking',
  'person doing cartwheel': 'cartwheeling', 'water polo': 'playing water polo', handball: 'playing handball', wrestlers: 'wrestling',
  merman: 'merperson', mermaid: 'merperson', prince: 'with crown', princess: 'with crown', man: 'adult', woman: 'adult',
  boy: 'child', girl: 'child', 'older man': 'older adult', 'older woman': 'older adult', 'father christmas': 'claus',
  'mother christmas': 'claus', 'mx claus': 'claus', 'woman with bunny ears': 'with bunny ears',
}

const singular: Readonly<Record<string, 'man' | 'woman' | 'person'>> = {
  man: 'man', men: 'man', woman: 'woman', women: 'woman', person: 'person',
}

/** The person that an emoji of people shows; an act that is its name where there is no better. */
export function personOf({ name, shortNames }: Emoji): Person {
  const plain = name.toLowerCase().replace(/:/g, '')
  // Unicode calls both of those in a tuxedo men.
  const lower = shortNames[0] === 'person_in_tuxedo' ? 'person in tuxedo' : plain
  const right = lower.endsWith(' facing right')
  const rest = lower.replace(/ facing right$/, '')
  const known = same[rest]
  if (known !== undefined) return { who: 'person', act: known, right }
  const [, first, after] = /^(man|men|woman|women|person) (.+)$/.exec(rest) ?? []
  if (first !== undefined && after !== undefined) return { who: singular[first], act: after, right }
  const [, before, last] = /^(.+) (man|woman|person)$/.exec(rest) ?? []
  if (before !== undefined && last !== undefined) return { who: singular[last], act: before, right }
  return { who: undefined, act: rest, right }
}
