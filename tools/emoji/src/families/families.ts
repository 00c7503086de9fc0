import type { Emoji } from '../emoji/index.ts'
import { hashOf } from '../hash/index.ts'
import { personOf } from '../people/index.ts'

/** Who may look at the pictures of a family. */
export type Split = 'labeller' | 'judge'

/** Couples and families of all kinds, by the beginning of their names. */
const alike: readonly (readonly [RegExp, string])[] = [
  [/^FAMILY\b/, 'family'], [/^KISS\b(?! MARK)/, 'couple kissing'], [/^COUPLE WITH HEART\b/, 'couple with heart'],
  [/ HOLDING HANDS$/, 'couple holding hands'],
]

/**
 * The family of each emoji, by its image: one for all that show the same with another skin, another sex, or facing the
 * other way; that is, for what one emoji replaces another for, and for names that differ in man, woman or person alone.
 */
export function familiesOf(emoji: readonly Emoji[]): ReadonlyMap<string, string> {
  const own = new Map(emoji.map((one) => [one.unified, nameOf(one)]))
  const joined = new Map<string, string>()
  const rootOf = (name: string): string => {
    const parent = joined.get(name)
    return parent === undefined ? name : rootOf(parent)
  }
  for (const { unified, obsoletedBy } of emoji) {
    const [a, b] = [own.get(unified), obsoletedBy === undefined ? undefined : own.get(obsoletedBy)]
    if (a === undefined || b === undefined) continue
    const [root, other] = [rootOf(a), rootOf(b)].sort() as [string, string]
    if (root !== other) joined.set(other, root)
  }
  return new Map(emoji.map((one) => [one.image, rootOf(nameOf(one))]))
}

function nameOf(emoji: Emoji): string {
  const found = alike.find(([pattern]) => pattern.test(emoji.name))
  if (found) return found[1]
  return emoji.subcategory.startsWith('person') ? personOf(emoji).act : emoji.name.toLowerCase()
}

/** Half of the families for each, by a hash of their names, so that no other picture changes it. */
export const splitOf = (family: string): Split => (hashOf(`split of ${family}`) % 2 === 0 ? 'labeller' : 'judge')
