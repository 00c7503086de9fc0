import { stopGradient } from '@antipode/core'
import { callable, checkOptions, flag } from '@antipode/core/options'
import type { Condition, Denoiser } from '../denoiser.ts'
import { cfg, type CfgOptions } from '../guidance/index.ts'
import type { PreferenceObjective } from './objective.ts'

/** Options of {@link throughGuidance}. */
export interface ThroughGuidanceOptions<C extends Condition> extends Omit<CfgOptions<C>, 'negative'> {
  /**
   * Whether the gradient by the sample also goes through the frozen branch, which matters where an objective takes
   * several steps in a row: true by default, which is exact; false takes less work, and is biased.
   */
  readonly frozenBranchInputGrad?: boolean
}

/**
 * An objective on the guided prediction e_neg + w·(e_pos − e_neg), of which the negative branch alone is trained: every
 * network of the objective becomes the negative branch beside the same frozen positive one. The preference is not
 * reversed. As ∂e/∂e_neg = 1 − w, the negative branch itself is pushed away from what is preferred for w > 1; at w = 1
 * it has no gradient. It is trained on the condition that guidance runs it on (RL-SPO-NPO and DR-Video-NPO in
 * G-U-N/Diffusion-NPO).
 * @param options the guidance; `positive` must not contain what is trained
 * @throws {ConfigError} if an option is unknown or outside its range
 */
export function throughGuidance<
  Batch, C extends Condition, Networks extends Readonly<Record<keyof Networks, Denoiser<C>>>,
>(
  objective: PreferenceObjective<Batch, Networks>, options: ThroughGuidanceOptions<C>,
): PreferenceObjective<Batch, Networks> {
  const { frozenBranchInputGrad = true, positive: branch, ...guidance } = options
  checkOptions('throughGuidance', { frozenBranchInputGrad, branch }, { frozenBranchInputGrad: flag, branch: callable })
  const positive: Denoiser<C> = frozenBranchInputGrad ? branch : (...call) => stopGradient(branch(...call))
  const guidedBy = (negative: Denoiser<C>): Denoiser<C> => cfg({ ...guidance, positive, negative })
  return {
    name: `${objective.name} through guidance`,
    evaluate(networks, batch) {
      const entries = Object.entries<Denoiser<C>>(networks)
      // The same names as the objective's own.
      return objective.evaluate(Object.fromEntries(entries.map(([name, net]) => [name, guidedBy(net)])) as Networks, batch)
    },
    negated: () => throughGuidance(objective.negated(), options),
  }
}
