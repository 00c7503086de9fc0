/** Tones of skin by the code points that Unicode gives them. Source: UTS #51, Emoji Modifiers Based on the Fitzpatrick Scale. */
export const skinTones = {
  '1F3FB': 'light', '1F3FC': 'medium-light', '1F3FD': 'medium', '1F3FE': 'medium-dark', '1F3FF': 'dark',
} as const

/** A tone of skin in words. */
export type SkinTone = (typeof skinTones)[keyof typeof skinTones]

/** A picture of an emoji in tones of skin. */
export interface ToneVariant {
  /** One, or two where two people or hands are seen, in the order of the emoji's name. */
  readonly tones: readonly SkinTone[]
  /** Name of a PNG file. */
  readonly image: string
}

/** What `emoji.json` says of an emoji, as far as it is used here. */
export interface Emoji {
  /** As Unicode has it: "SMILING FACE WITH OPEN MOUTH". */
  readonly name: string
  /** Code points in hexadecimal digits: "1F468-200D-1F680". */
  readonly unified: string
  /** At least one: "smiley". */
  readonly shortNames: readonly [string, ...string[]]
  /** "Smileys & Emotion" */
  readonly category: string
  /** "face-smiling" */
  readonly subcategory: string
  /** Name of a PNG file. */
  readonly image: string
  /** Code points of the emoji that is to be used in its place, if any. */
  readonly obsoletedBy: string | undefined
  /** The same picture in tones of skin; none for most. */
  readonly variants: readonly ToneVariant[]
}
