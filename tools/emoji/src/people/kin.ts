const numbers = ['', 'a', 'two', 'three']
const plural = (noun: string): string => ({ man: 'men', woman: 'women', child: 'children' }[noun] ?? `${noun}s`)

/**
 * What the pictogram of a family is called by its Unicode name: "a pictogram of a man, a woman and two boys"; nothing if
 * the name is none of a family.
 */
export function kinPhrases(name: string): readonly string[] | undefined {
  const [, list] = /^family: (.+)$/.exec(name.toLowerCase()) ?? []
  if (list === undefined) return undefined
  const members = list.split(', ')
  const counted = [...new Set(members)].map((member) => {
    const count = members.filter((other) => other === member).length
    return count === 1 ? `${member === 'adult' ? 'an' : 'a'} ${member}` : `${numbers[count]} ${plural(member)}`
  })
  const all = counted.length === 1 ? counted.join() : `${counted.slice(0, -1).join(', ')} and ${counted.at(-1)}`
  return [`a family of ${all}`, `a pictogram of ${all}`]
}
