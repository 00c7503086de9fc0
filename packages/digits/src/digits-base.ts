import { digits16CardUrl, digits16DeltaUrl, digits16EtaUrl, digits16Url } from '#assets'
import type { DigitsModelName } from './digits-unet.ts'

/** Files of a trained digits model, all safetensors but the card. */
export interface DigitsBase {
  /** f16 parameters by their checkpoint names. */
  readonly weights: URL
  /** JSON: seed, recipe, loss curve and SHA-256 of the weights. */
  readonly card: URL
  /** LoRA adapters by their PEFT names: η was trained on preferences, δ on their reversal. */
  readonly eta: URL
  readonly delta: URL
}

/** Trained digits models that come with this package; `antipode train base` makes others. */
export const digitsBase: Readonly<Partial<Record<DigitsModelName, DigitsBase>>> = {
  'digits-16': { weights: digits16Url, card: digits16CardUrl, eta: digits16EtaUrl, delta: digits16DeltaUrl },
}
