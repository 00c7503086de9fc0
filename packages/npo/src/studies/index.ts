export { directoryStore } from './directory-store.ts'
export { gatherStudy, type StudyTables } from './gather.ts'
export { queueStudy, type QueueStudyOptions, type StudyQueue, workOnStudy, type WorkOptions } from './queue.ts'
export type { JobResult, ResultStore } from './results.ts'
export { runStudy, type RunStudyOptions, type ScoreJob, type StudyStep } from './run-study.ts'
export {
  jobsOf, type JobScores, type Json, type NamedJob, type NoiseSet, type Shard, type Study, type StudyArm, type StudyJob,
} from './study.ts'
