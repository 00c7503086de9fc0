export { type Costs, planWithin } from './choose.ts'
export {
  type MemoryChoices,
  type MemoryPlan,
  type Phase,
  type PhaseMemory,
  type PipelineMemory,
} from './memory.ts'
export { Residence } from './residence.ts'
