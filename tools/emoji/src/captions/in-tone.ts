/** What comes after the noun of a phrase: "a woman | in a tuxedo". */
const follows = /^(with|without|in|on|from|that|dressed|raised|together|[a-z]+ing)$/

/**
 * A phrase of somebody, or of a hand, with a tone of skin: "a woman running" becomes "a woman with dark skin running", and
 * "a man with red hair" "a man with dark skin and red hair".
 * @param tone in words, "dark"
 */
export function inTone(phrase: string, tone: string): string {
  const words = phrase.split(' ')
  const first = /^(a|an|the|two)$/.test(words[0] ?? '') ? 2 : 1
  const found = words.findIndex((word, i) => i >= first && follows.test(word))
  const at = found < 0 ? words.length : found
  const rest = words.slice(at)
  if (rest[0] === 'with') rest[0] = 'and'
  return [...words.slice(0, at), 'with', tone, 'skin', ...rest].join(' ')
}
