/**
 * Element `i` of a list that has one there.
 * @throws {RangeError} if it has none: then whoever asks counts wrongly, and a number in its place would hide that
 */
export function at<T>(list: readonly (T | undefined)[], i: number): T {
  const element = list[i]
  if (element === undefined) throw new RangeError(`at: expected an index below ${list.length}, got ${i}`)
  return element
}

/** What a map holds under a key that it has. @throws {RangeError} if it has none */
export function entry<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key)
  if (value === undefined) throw new RangeError(`entry: expected one of ${map.size} keys, got ${String(key)}`)
  return value
}
