export type {
  AnySolver,
  ConfigSource,
  SamplingPlan,
  Scheduler,
  SchedulerState,
  Solver,
  SolverDescription,
  StepResult,
  Steps,
  StepsPart,
  StepsRequest,
} from './contract.ts'
export type { PlanRequest } from './request.ts'
export {
  noiseTerm,
  solver,
  x0Of,
  type Course,
  type Outcome,
  type SolverDefinition,
  type SolverMethods,
  type StepCall,
} from './solver.ts'
export { currentSigma, currentTimestep, isDone, mapState, nextSigma, stepCount, tensorsOf } from './state.ts'
