export type { Dispatch, PlanBuffer } from './build.ts'
export { type MemoryPlan, sizeClass, type Slot, textureRows } from './memory.ts'
export { makePlan, type Plan } from './plan.ts'
export { type Graph, walk } from './walk.ts'
