import { ConfigError } from '@antipode/core'
import { type Emoji, type SkinTone, skinTones, type ToneVariant } from './emoji.ts'

/**
 * Emoji of the text of an `emoji.json` of the package `emoji-datasource`, in Unicode's order, as far as there are pictures
 * of Google's.
 * @throws {ConfigError} if the text is no such list
 */
export function readEmoji(text: string): readonly Emoji[] {
  const rows: unknown = JSON.parse(text)
  if (!Array.isArray(rows)) throw new ConfigError('readEmoji: expected a list of emoji, got another value; pass the text of emoji.json')
  return rows
    .map((row: unknown, i) => fieldsOf(row, `emoji ${i}`))
    .filter((row) => row['has_img_google'] === true)
    .sort((a, b) => Number(a['sort_order']) - Number(b['sort_order']))
    .map(emojiOf)
}

function emojiOf(row: Fields): Emoji {
  const where = String(row['name'])
  const word = (key: string): string => wordOf(row, key, where)
  const names = row['short_names']
  if (!Array.isArray(names) || names.length === 0) {
    throw new ConfigError(`readEmoji: expected short_names of ${where}, got none; pass the text of emoji.json`)
  }
  return {
    name: word('name'), unified: word('unified'), shortNames: names.map(String) as [string, ...string[]],
    category: word('category'), subcategory: word('subcategory'), image: word('image'),
    obsoletedBy: row['obsoleted_by'] === undefined ? undefined : word('obsoleted_by'),
    variants: variantsOf(row['skin_variations'] ?? {}, where),
  }
}

function variantsOf(variations: unknown, where: string): ToneVariant[] {
  return Object.entries(fieldsOf(variations, where)).map(([key, value]) => {
    const tones = key.split('-').map((code): SkinTone => {
      if (!(code in skinTones)) throw new ConfigError(`readEmoji: expected a tone of skin of ${where}, got ${code}; pass the text of emoji.json`)
      return skinTones[code as keyof typeof skinTones] // `in` holds
    })
    return { tones, image: wordOf(fieldsOf(value, where), 'image', where) }
  })
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value === 'object' && value !== null) return value as Fields // an object has fields of some kind
  throw new ConfigError(`readEmoji: expected an object for ${where}, got another value; pass the text of emoji.json`)
}

function wordOf(row: Fields, key: string, where: string): string {
  const value = row[key]
  if (typeof value === 'string' && value !== '') return value
  throw new ConfigError(`readEmoji: expected ${key} of ${where} to be a text, got none; pass the text of emoji.json`)
}
