import { logSigmoid, stopGradient } from '@antipode/core'
import { checkOptions, positive, required } from '@antipode/core/options'
import type { Condition, Denoiser } from '../denoiser.ts'
import { sampleErrors, weighed } from './errors.ts'
import type { PreferenceObjective } from './objective.ts'
import { type PairBatch, pairErrors, pairObjective } from './pairs.ts'

/** Two networks in training, one for each half of the pairs, and the frozen one that neither must stray from. */
export interface TwoNetworks<C extends Condition> {
  /** Learns the chosen samples: the positive branch of guidance. */
  readonly chosen: Denoiser<C>
  /** Learns the rejected samples: the negative branch. */
  readonly rejected: Denoiser<C>
  readonly reference: Denoiser<C>
}

/** Options of {@link chats}. */
export interface ChatsOptions {
  /** β, positive and finite; 1000 in the released scripts. It has no ½. */
  readonly beta: number
}

/**
 * CHATS (Fu et al. 2025, arXiv 2502.12579): one network learns what people prefer and another what they do not, both
 * better than the reference, in one loss, `mean −log σ(β·((m_ref − m_chosen)(chosen) + (m_ref − m_rejected)(rejected)))`.
 * Neither raises an error, so this is not negative preference optimisation: the negative branch *imitates* what people
 * reject. Negated, the networks change places. It starts at ln 2. Weights of the draw multiply all four errors.
 *
 * To sample, {@link cfg} with both networks at scale w + 1, the negative one under `−a·c + (1 + a)·∅` in place of the
 * condition, a = ½. Metrics, without weights: `error` (mean m of both networks) and `referenceError`.
 * @throws {ConfigError} if an option is unknown or outside its range
 * Source: AIDC-AI/CHATS, train.py.
 */
export function chats<C extends Condition>(options: ChatsOptions): PreferenceObjective<PairBatch<C>, TwoNetworks<C>> {
  checkOptions('chats', options, { beta: required(positive) })
  const { beta } = options
  return pairObjective('chats', (networks, batch) => {
    const { noise, rejectedNoise = noise, weights } = batch
    const frozen = pairErrors(networks.reference, batch)
    const chosen = sampleErrors('chats', networks.chosen, batch.chosen, batch)
    const rejected = sampleErrors('chats', networks.rejected, batch.rejected, { ...batch, noise: rejectedNoise })
    const [before, after] = [stopGradient(frozen.chosen.add(frozen.rejected)), chosen.add(rejected)]
    return {
      loss: logSigmoid(weighed('chats', before.sub(after), weights).mul(beta)).mean().neg(),
      metrics: { error: stopGradient(after).mul(0.5).mean(), referenceError: before.mul(0.5).mean() },
    }
  })
}
