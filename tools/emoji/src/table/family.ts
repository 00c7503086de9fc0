import type { Emoji } from './emoji.ts'
import { stableHash } from './stable-hash.ts'

/** Parts of the data set: what the two reward models, one that labels and one that judges, may look at. */
export const splits = ['labeller', 'judge'] as const

/** Adults by their code points: a man, a woman, a person. */
const adults = /\b(?:1F468|1F469|1F9D1)\b/g
const children = /\b(?:1F466|1F467|1F9D2)\b/g
/** Signs of gender, of the direction that a person faces, and of how a character is shown. */
const marks = /-200D-(?:2640|2642|27A1)|-FE0F/g

/** Emoji of people that Unicode writes in two ways, by short names: before its genders, and since. */
const kin: readonly (readonly [RegExp, string])[] = [
  [/^(?:couplekiss$|(?:wo)?man-kiss-)/, 'kiss'],
  [/^(?:couple_with_heart$|(?:wo)?man-heart-)/, 'couple with heart'],
  [/_holding_hands$/, 'holding hands'],
  [/^(?:santa|mrs_claus|mx_claus)$/, 'claus'],
  [/^(?:older_adult|older_man|older_woman)$/, 'older person'],
  [/^(?:blond-haired-(?:wo)?man|person_with_blond_hair)$/, 'blond hair'],
  [/^(?:boy|girl|child)$/, 'child'],
  [/^(?:prince|princess|person_with_crown)$/, 'crown'],
  [/^(?:dancer|man_dancing)$/, 'dancer'],
  [/^(?:person_in_tuxedo|(?:wo)?man_in_tuxedo)$/, 'tuxedo'],
  [/^(?:breast-feeding|(?:wo)?man_feeding_baby|person_feeding_baby)$/, 'feeding baby'],
  [/^pregnant_/, 'pregnant'],
]

/**
 * The name of an emoji's family, which is the same for all its genders and directions, and so for all its skin tones:
 * "person-200D-1F680" of an astronaut. Everything that shows a family is one.
 */
export function familyOf({ name, shortName, unified }: Emoji): string {
  const found = kin.find(([pattern]) => pattern.test(shortName))
  if (found) return found[1]
  if (/^FAMILY\b/.test(name)) return 'family'
  return unified.replace(marks, '').replace(adults, 'person').replace(children, 'child')
}

/** The part of the data set that a family is in. */
export function splitOf(family: string): typeof splits[number] {
  return splits[stableHash(`split ${family}`) % 2]!
}
