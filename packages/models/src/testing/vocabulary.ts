import { byteAlphabet } from '../tokenizers/byte-alphabet.ts'

/** A vocabulary in the order of CLIP's: symbols of bytes, the same as ends of words, what is merged, begin and end. */
export function vocabulary(merges: readonly string[]): Readonly<Record<string, number>> {
  const symbols = byteAlphabet()
  const tokens = [
    ...symbols, ...symbols.map((s) => `${s}</w>`), ...merges.map((pair) => pair.replace(' ', '')),
    '<|startoftext|>', '<|endoftext|>',
  ]
  return Object.fromEntries(tokens.map((token, id) => [token, id]))
}
