import { CheckpointError } from '../errors.ts'
import { checkOptions, positive, type Range, whole } from '../options/index.ts'

/** Options of {@link lossScaler}; names and defaults follow `torch.amp.GradScaler`. */
export interface LossScalerOptions {
  /** Positive; default 65,536. */
  readonly initScale?: number
  /** What the scale is multiplied by after `growthInterval` steps in a row that were finite, above 1; default 2. */
  readonly growthFactor?: number
  /** What it is multiplied by at a step that was not, between 0 and 1; default 0.5. */
  readonly backoffFactor?: number
  /** Whole, 1 or more; default 2000. */
  readonly growthInterval?: number
}

/** What a {@link LossScaler} goes on from. */
export interface LossScalerState {
  readonly scale: number
  /** Finite steps in a row since the scale changed. */
  readonly growthTracker: number
}

/** The factor on a loss that keeps f16 gradients between underflow and overflow. */
export interface LossScaler {
  /** The factor of the next step. */
  readonly scale: number
  /** Takes note of whether a step's gradients were finite. */
  update(finite: boolean): void
  state(): LossScalerState
  /** @throws {CheckpointError} if it is no state of a scaler */
  load(state: LossScalerState): void
}

const inside = (low: number, high: number, expected: string): Range =>
  ({ expected, accepts: (v) => typeof v === 'number' && v > low && v < high })

/**
 * A dynamic scale: it is halved at each step whose gradients are not finite, which is then left out, and doubled after so many
 * steps that were. Like torch's it is a number of f32; where growing would end in infinity it stays.
 * Source: Micikevicius et al., "Mixed precision training", ICLR 2018, section 3.2; torch, `_amp_update_scale_`.
 * @throws {ConfigError} if an option is unknown, or outside its range
 */
export function lossScaler(options: LossScalerOptions = {}): LossScaler {
  checkOptions('lossScaler', options, {
    initScale: positive, growthFactor: inside(1, Infinity, 'a finite number above 1'),
    backoffFactor: inside(0, 1, 'a number between 0 and 1'), growthInterval: whole(1),
  })
  const { initScale = 65_536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 } = options
  let scale = Math.fround(initScale)
  let growthTracker = 0
  return {
    get scale() {
      return scale
    },
    update(finite) {
      growthTracker = finite ? growthTracker + 1 : 0
      if (!finite) scale = Math.fround(scale * backoffFactor)
      if (growthTracker < growthInterval) return
      const grown = Math.fround(scale * growthFactor)
      if (grown < Infinity) scale = grown
      growthTracker = 0
    },
    state: () => ({ scale, growthTracker }),
    load(state) {
      if (!positive.accepts(state.scale) || !whole(0).accepts(state.growthTracker)) {
        throw new CheckpointError(`lossScaler: expected a positive scale and a count, got ${JSON.stringify(state)}; start afresh`)
      }
      ;({ scale, growthTracker } = state)
    },
  }
}
