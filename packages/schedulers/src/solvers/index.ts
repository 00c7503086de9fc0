// One line a solver: `fromConfig` finds each by its export here, and a bundle takes only those it imports.
export { ddim, type DdimConfig } from './ddim/index.ts'
export { ddpm, type DdpmConfig } from './ddpm/index.ts'
export { dpmSolverMultistep, type DpmAlgorithm, type DpmConfig } from './dpm-solver-multistep/index.ts'
export { eulerAncestral, type EulerAncestralConfig } from './euler-ancestral/index.ts'
export { euler, type EulerConfig } from './euler/index.ts'
export { flowMatchEuler, type FlowMatchEulerConfig } from './flow-match-euler/index.ts'
export { heun, type HeunConfig } from './heun/index.ts'
export { uniPc, type UniPcConfig } from './unipc/index.ts'
