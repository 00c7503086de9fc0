/** Small letters, no accents, parentheses or dots of abbreviations: "Côte d’Ivoire" becomes "cote d'ivoire". */
export function plain(name: string): string {
  return name.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
    .replace(/[’‘]/g, "'").replace(/&/g, 'and').replace(/\bu\.s\./g, 'us').replace(/\bst\./g, 'saint')
    .replace(/ \(.*?\)/g, '').replace(/_/g, ' ').replace(/ +/g, ' ').trim()
}

/** A Unicode name as a noun: "WAVING HAND SIGN" becomes "waving hand", "WOMANS HAT" "woman's hat". */
export function nounOf(name: string): string {
  return plain(name).replace(/\b(symbol|sign|emoji) for /g, '').replace(/ (symbol|sign|emoji)$/, '').replace(/\b(wo)?mans /g, "$1man's ")
}

/** How many words a text has. */
export const wordCount = (text: string): number => text.split(' ').length
