export {
  type EvalMergeOptions, type EvalResult, type EvalRunOptions, type EvalWorkOptions, runEval, runEvalMerge, runEvalWork,
} from './run-eval.ts'
