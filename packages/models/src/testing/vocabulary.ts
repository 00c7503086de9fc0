/** A vocabulary in the order of CLIP's: symbols of bytes, the same as ends of words, what is merged, begin and end. */
export function vocabulary(merges: readonly string[]): Readonly<Record<string, number>> {
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
  const printable = [...range(33, 127), ...range(161, 173), ...range(174, 256)]
  const symbols = [...printable, ...range(256, 512 - printable.length)].map((code) => String.fromCharCode(code))
  const tokens = [
    ...symbols, ...symbols.map((s) => `${s}</w>`), ...merges.map((pair) => pair.replace(' ', '')),
    '<|startoftext|>', '<|endoftext|>',
  ]
  return Object.fromEntries(tokens.map((token, id) => [token, id]))
}
