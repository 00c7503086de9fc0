/** Sizes of {@link ImageRewardModel}; those of ImageReward v1.0 by default. */
export interface ImageRewardConfig {
  readonly vision?: {
    /** Pixels a side, 224. */
    readonly imageSize?: number
    /** Pixels a side of a patch, 16. */
    readonly patchSize?: number
    /** 1024. */
    readonly width?: number
    /** 24. */
    readonly layers?: number
    /** 16. */
    readonly heads?: number
  }
  readonly text?: {
    /** Tokens that are known, 30,524. */
    readonly vocabulary?: number
    /** Tokens of a prompt at most, 512. */
    readonly positions?: number
    /** 768. */
    readonly width?: number
    /** Width of the feed-forward layers, 3072. */
    readonly inner?: number
    /** 12. */
    readonly layers?: number
    /** 12. */
    readonly heads?: number
  }
}

/** Sizes with their defaults. */
export interface Sizes {
  readonly vision: Required<NonNullable<ImageRewardConfig['vision']>>
  readonly text: Required<NonNullable<ImageRewardConfig['text']>>
}

/** Source: BLIP's `configs/med_config.json` and `create_vit('large')`, as THUDM/ImageReward has them. */
export const defaults: Sizes = {
  vision: { imageSize: 224, patchSize: 16, width: 1024, layers: 24, heads: 16 },
  text: { vocabulary: 30_524, positions: 512, width: 768, inner: 3072, layers: 12, heads: 12 },
}
