import type { DegradationKind } from '../degrade/index.ts'
import { captionsOf } from '../captions/index.ts'
import type { Emoji } from '../emoji/index.ts'
import { familiesOf, type Split, splitOf } from '../families/index.ts'

/** A picture of the package, and what is said of it. */
export interface Source {
  /** Name of a PNG file: "1f468-1f3ff-200d-1f680.png". */
  readonly image: string
  readonly captions: readonly string[]
  readonly family: string
  readonly split: Split
}

/** A line of `metadata.jsonl`. */
export interface Row {
  /** Below the folder of the list. */
  readonly file_name: string
  readonly text: readonly string[]
  readonly split: Split
  readonly family: string
  /** 1 = untouched, 0 = worst. */
  readonly quality: number
  readonly degraded: DegradationKind | 'none'
}

/** All pictures of emoji, those in tones of skin after the yellow one. */
export function sourcesOf(emoji: readonly Emoji[]): readonly Source[] {
  const families = familiesOf(emoji)
  return emoji.flatMap((one) => {
    const family = families.get(one.image) ?? one.name
    const common = { family, split: splitOf(family) }
    return [
      { image: one.image, captions: captionsOf(one), ...common },
      ...one.variants.map(({ image, tones }) => ({ image, captions: captionsOf(one, tones), ...common })),
    ]
  })
}
