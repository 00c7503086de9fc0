export { writeTinyCheckpoint, writeTinyPairs } from './tiny-checkpoint.ts'
