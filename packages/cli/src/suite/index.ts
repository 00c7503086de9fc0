export { formLabels, tallyOf } from './map/index.ts'
export type { SuiteRecipe } from './recipe.ts'
export type { MapArm, MapRow, SuiteResults } from './results.ts'
export { runSuite, type SuiteOptions, type SuiteResult } from './suite.ts'
