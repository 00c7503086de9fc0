/** A piece of a prompt, and how much it counts. */
export interface WeightedText {
  readonly text: string
  readonly weight: number
}

/** What a pair of round brackets without a number multiplies by; square ones divide by it. */
const step = 1.1

/** Escaped brackets, the end of a weighted piece with its number, brackets, and what stands between. */
const token = /\\[\\()[\]]|:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*\)|[()[\]]|[^\\()[\]:]+|[\\:]/g

/**
 * A prompt with weights in brackets, as the programs of the field write them: `(text)` counts 1.1 times, `(text:1.4)` as
 * much as it says, `[text]` 1/1.1 times, and all of them within each other; `\(` is a bracket of the text. Brackets that
 * are not closed last to the end. Source: the syntax of AUTOMATIC1111's web UI.
 */
export function weightedTexts(prompt: string): WeightedText[] {
  const pieces: { text: string; weight: number }[] = []
  const open: { readonly bracket: string; readonly from: number }[] = []
  const close = (bracket: string, factor: number): boolean => {
    if (open.at(-1)?.bracket !== bracket) return false
    for (const piece of pieces.slice(open.pop()!.from)) piece.weight *= factor
    return true
  }
  for (const [found, number] of prompt.matchAll(token)) {
    if (found === '(' || found === '[') open.push({ bracket: found, from: pieces.length })
    else if (number !== undefined && close('(', Number(number))) continue
    else if (found === ')' && close('(', step)) continue
    else if (found === ']' && close('[', 1 / step)) continue
    else pieces.push({ text: /^\\./.test(found) ? found.slice(1) : found, weight: 1 })
  }
  for (const { bracket } of [...open].reverse()) close(bracket, bracket === '(' ? step : 1 / step)
  return joined(pieces)
}

/** Neighbours of one weight as one piece. */
function joined(pieces: readonly WeightedText[]): WeightedText[] {
  const all: { text: string; weight: number }[] = []
  for (const { text, weight } of pieces) {
    const last = all.at(-1)
    if (last && last.weight === weight) last.text += text
    else all.push({ text, weight })
  }
  return all
}
