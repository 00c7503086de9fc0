/** A header holds tensors, which hold fields, which hold lists: objects nest two deep; one more is tolerated. */
const MAX_DEPTH = 3

/**
 * The first key that occurs twice in one object, or that opens an object nested too deep; undefined if there is none.
 * `JSON.parse` would keep the last of two equal keys in silence, so that two readers could see two different files.
 *
 * @param text valid JSON
 */
export function duplicateKey(text: string): string | undefined {
  const scopes: Set<string>[] = []
  let last = ''
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '{') {
      if (scopes.length === MAX_DEPTH) return last
      scopes.push(new Set())
    } else if (character === '}') {
      scopes.pop()
    } else if (character === '"') {
      const end = stringEnd(text, i)
      if (isKey(text, end)) {
        // Escapes are undone, so that two spellings of one key count as equal.
        last = JSON.parse(text.slice(i, end)) as string // a JSON string token
        const keys = scopes.at(-1)
        if (keys?.has(last)) return last
        keys?.add(last)
      }
      i = end - 1
    }
  }
  return undefined
}

/** Index after the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let i = start + 1
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i + 1
}

function isKey(text: string, after: number): boolean {
  let i = after
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++
  return text[i] === ':'
}
