/** Names of layers in two vocabularies, side by side. */
export type Pairs = readonly (readonly [from: string, to: string])[]

/** A name, or the layer that it begins with, in the other vocabulary; undefined if the pairs have none such. */
export function swapped(pairs: Pairs, name: string): string | undefined {
  for (const [from, to] of pairs) if (name === from || name.startsWith(`${from}.`)) return to + name.slice(from.length)
  return undefined
}

export const readBackwards = (pairs: Pairs): Pairs => pairs.map(([from, to]) => [to, from])
