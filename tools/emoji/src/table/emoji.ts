import { ConfigError } from '@antipode/core'

/** One emoji of the data set `emoji.json`, and its pictures. */
export interface Emoji {
  /** Unicode's name, or one like it: "RED APPLE", "Egypt Flag". */
  readonly name: string
  /** Names that chat programs give it, the first of which no other emoji has. */
  readonly shortName: string
  readonly shortNames: readonly string[]
  /** Code points in base 16: "1F468-200D-1F680". */
  readonly unified: string
  readonly category: string
  readonly subcategory: string
  /** File names of its pictures: that without a skin tone at '', the others by their tones. */
  readonly images: Readonly<Record<string, string>>
}

/** One picture. */
export interface Drawing {
  readonly emoji: Emoji
  /** Key of its skin tones: "1F3FF", or "1F3FB-1F3FF" of two people; undefined without any. */
  readonly tone?: string
  /** File name: "1f34e.png". */
  readonly image: string
}

/** Emoji of `emoji.json` that Google has drawn, in its own order. @throws {ConfigError} if a row has another form */
export function emojiOf(table: unknown): Emoji[] {
  if (!Array.isArray(table)) throw new ConfigError('emojiOf: expected a list of emoji, got something else; is it emoji.json?')
  return table.flatMap((row: unknown, i) => {
    if (!isRow(row)) throw new ConfigError(`emojiOf: expected an emoji of emoji-datasource 16, got another row at ${i}`)
    const drawn = [['', row] as const, ...Object.entries(row.skin_variations ?? {})].filter(([, one]) => one.has_img_google)
    if (drawn.length === 0) return []
    const images = Object.fromEntries(drawn.map(([tone, { image }]) => [tone, image]))
    const { name, short_name: shortName, short_names: shortNames, unified, category, subcategory } = row
    return [{ name, shortName, shortNames, unified, category, subcategory, images }]
  })
}

/** Every picture of some emoji. */
export function drawingsOf(emoji: readonly Emoji[]): Drawing[] {
  return emoji.flatMap((one) => Object.entries(one.images).map(([tone, image]) => ({
    emoji: one, image, ...(tone === '' ? {} : { tone }),
  })))
}

interface Image {
  readonly image: string
  readonly has_img_google: boolean
}

interface Row extends Image {
  readonly name: string
  readonly short_name: string
  readonly short_names: readonly string[]
  readonly unified: string
  readonly category: string
  readonly subcategory: string
  readonly skin_variations?: Readonly<Record<string, Image>>
}

const texts = ['name', 'short_name', 'unified', 'category', 'subcategory', 'image'] as const

function isRow(row: unknown): row is Row {
  const one = row as Row | null
  return typeof one === 'object' && one !== null && texts.every((field) => typeof one[field] === 'string') &&
    Array.isArray(one.short_names)
}
