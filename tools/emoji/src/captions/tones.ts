/** Words of Unicode's five skin tones, by their code points. Source: Unicode UTS #51, section 2.4. */
const tones: Readonly<Record<string, string>> = {
  '1F3FB': 'light', '1F3FC': 'medium light', '1F3FD': 'medium', '1F3FE': 'medium dark', '1F3FF': 'dark',
}

/**
 * Phrases of an emoji in skin tones. @param tone key of `skin_variations`: "1F3FF", or "1F3FB-1F3FF" of two people
 */
export function toned(phrases: readonly string[], tone: string | undefined): readonly string[] {
  if (tone === undefined) return phrases
  const words = [...new Set(tone.split('-').map((code) => tones[code] ?? 'another'))]
  const skin = words.map((word) => `${word} skin`).join(' and ')
  if (words.length > 1) return phrases.map((phrase) => `${phrase} with ${skin}`)
  return phrases.flatMap((phrase) => {
    const before = `${words[0]} skinned ${phrase}`
    if (phrase.startsWith('two ')) return [`${phrase} with ${skin}`]
    // What comes last would be said of the wrong thing: "a hand with its palm up and dark skin".
    if (/\b(?:facing|that|its) /.test(phrase)) return [before]
    return [`${phrase} ${phrase.includes(' with ') ? 'and' : 'with'} ${skin}`, before]
  })
}
