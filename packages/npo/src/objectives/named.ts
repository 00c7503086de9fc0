import { checkArgument, checkOptions, oneOf, positive } from '@antipode/core/options'
import type { Condition } from '../denoiser.ts'
import { diffusionDpo } from './diffusion-dpo.ts'
import { diffusionKto } from './diffusion-kto.ts'
import { dmpo } from './dmpo.ts'
import { dspo } from './dspo.ts'
import { fineTuning } from './fine-tuning.ts'
import { hinge } from './hinge.ts'
import { ipo } from './ipo.ts'
import { mapo } from './mapo.ts'
import type { PreferenceObjective, ReferredNetworks } from './objective.ts'
import type { PairBatch } from './pairs.ts'
import { safeguarded } from './safeguarded.ts'
import { unpaired } from './unpaired.ts'

/** How an objective is made, and which β it has where none is given; none where it has no β. */
interface Named {
  readonly beta?: number
  readonly make: <C extends Condition>(beta: number) => PreferenceObjective<PairBatch<C>, ReferredNetworks<C>>
}

/** An objective that can be asked for by name; see {@link pairObjectiveOf}. */
export type PairObjectiveName = 'dpo' | 'ipo' | 'hinge' | 'dmpo' | 'sdpo' | 'dspo' | 'mapo' | 'kto' | 'sft'

/** β in latent models: of released scripts where there is one, and for `ipo` and `hinge` of like margins. */
const named: Readonly<Record<PairObjectiveName, Named>> = {
  dpo: { beta: 2000, make: (beta) => diffusionDpo({ beta }) },
  ipo: { beta: 500, make: (beta) => ipo({ beta }) },
  hinge: { beta: 1000, make: (beta) => hinge({ beta }) },
  dmpo: { beta: 2000, make: (beta) => dmpo({ beta }) },
  sdpo: { beta: 2000, make: (beta) => safeguarded(diffusionDpo({ beta })) },
  dspo: { beta: 1e-3, make: (beta) => dspo({ beta }) },
  mapo: { beta: 0.1, make: (beta) => mapo({ beta }) },
  kto: { beta: 1000, make: (beta) => unpaired(diffusionKto({ beta })) },
  sft: { make: () => fineTuning() },
}

/** All of them: those of pairs, and `kto`, which takes the samples of pairs one by one. */
export const pairObjectiveNames: readonly PairObjectiveName[] = Object.keys(named) as PairObjectiveName[]

/** Options of {@link pairObjectiveOf}. */
export interface PairObjectiveOptions {
  /** β, in the objective's own unit, positive and finite; its own default where none is given. `sft` has none. */
  readonly beta?: number
}

/**
 * The objective of a name, on pairs and beside a reference: `dpo` {@link diffusionDpo}, `ipo` {@link ipo}, `hinge`
 * {@link hinge}, `dmpo` {@link dmpo}, `sdpo` {@link safeguarded} Diffusion-DPO, `dspo` {@link dspo}, `mapo` {@link mapo},
 * `kto` {@link diffusionKto}, `sft` {@link fineTuning}.
 * @throws {ConfigError} if the name is unknown, or β is outside its range or not the objective's
 */
export function pairObjectiveOf<C extends Condition>(
  name: PairObjectiveName, options: PairObjectiveOptions = {},
): PreferenceObjective<PairBatch<C>, ReferredNetworks<C>> {
  checkArgument('pairObjectiveOf', 'name', name, oneOf(...pairObjectiveNames))
  const { beta: otherwise, make } = named[name]
  checkOptions<object>(`pairObjectiveOf: ${name}`, options, otherwise === undefined ? {} : { beta: positive } as object)
  return make(options.beta ?? otherwise ?? 0)
}
