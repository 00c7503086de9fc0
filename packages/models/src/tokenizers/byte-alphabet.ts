/**
 * A printable character for each byte, in the order of their ids: those that print stand for themselves and come first,
 * the others for characters from 256 on. Source: openai/gpt-2, encoder.py, `bytes_to_unicode`.
 */
export function byteAlphabet(): readonly string[] {
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
  const printable = [...range(33, 127), ...range(161, 173), ...range(174, 256)]
  return [...printable, ...range(256, 512 - printable.length)].map((code) => String.fromCharCode(code))
}

/** What the last token of each word ends in. */
export const endOfWord = '</w>'
