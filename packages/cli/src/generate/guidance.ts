import { perturbedAttention, skippedLayers, smoothedEnergy } from '@antipode/models'
import {
  apg, cfgZeroStar, classifierFree, type Guider, magnitudeAware, perturbed, selfAttentionGuidance, tangential,
} from '@antipode/npo'
import type { GenerateOptions, PerturbedBranch } from '@antipode/pipelines'
import type { GuiderChoice } from '../guider-choice.ts'

const guiders: Readonly<Record<GuiderChoice['guider'], (scale: number) => Guider>> = {
  'cfg': (scale) => classifierFree({ scale }),
  // Numbers of the paper for SDXL.
  'apg': (scale) => apg({ scale, momentum: -0.5, threshold: 15 }),
  // Models of ε: a prediction of nothing is no step of none.
  'cfg-zero': (scale) => cfgZeroStar({ scale, zeroSteps: 0 }),
  'tcfg': (scale) => tangential({ scale }),
  'mambo-g': (scale) => magnitudeAware({ scale }),
}

const branches: Readonly<Record<NonNullable<GuiderChoice['perturbation']>['kind'], PerturbedBranch>> = {
  pag: perturbedAttention, seg: smoothedEnergy, slg: skippedLayers, sag: 'blurred',
}

/** A choice as options of a pipeline, at whose guidance scale it is made. */
export function guidanceOf({ guider, perturbation }: GuiderChoice): Pick<GenerateOptions, 'guider' | 'perturbed'> {
  const make = guiders[guider]
  if (!perturbation) return { guider: make }
  const { kind, scale: strength } = perturbation
  const around = kind === 'sag' ? selfAttentionGuidance : perturbed
  return { guider: (scale) => around(make(scale), { scale: strength }), perturbed: branches[kind] }
}
