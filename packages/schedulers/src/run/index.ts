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
  TrainingProcess,
} from './contract.ts'
export type { Course, Outcome, SolverDefinition, SolverMethods, StepCall } from './definition.ts'
export { stepsLeft, type PlanRequest } from './request.ts'
export { noiseTerm, solver, x0Of } from './solver.ts'
export { currentSigma, currentTimestep, isDone, mapState, nextSigma, stepCount, tensorsOf } from './state.ts'
