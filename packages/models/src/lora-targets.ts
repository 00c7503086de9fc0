/** Patterns of layers by their names. */
export interface LoraTargets {
  /** Queries, keys, values and outputs of a UNet's attention, as diffusers' scripts and Diffusion-DPO have them. */
  readonly attention: RegExp
  /** Every layer of a UNet's transformers: kohya-ss's default. */
  readonly transformers: RegExp
  /** Those, and convolutions and time projections of its resnets and samplers: kohya-ss's with `conv_dim`. */
  readonly convolutions: RegExp
  /** Attention and feed-forward of a text encoder: kohya-ss's default. */
  readonly textEncoder: RegExp
}

/**
 * Layers that scripts of the field train pairs on, as targets for `lora`. Sources: diffusers'
 * `train_text_to_image_lora.py`, kohya-ss's `networks/lora.py`.
 */
export const loraTargets: LoraTargets = {
  attention: /\battn\d\.to_(q|k|v|out\.0)$/,
  transformers: /\battentions\.\d+\./,
  convolutions: /\b(attentions|resnets|downsamplers|upsamplers)\.\d+\./,
  textEncoder: /\b(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])$/,
}
