export { pickAPic, tinyModels, writeTinyPairs } from './tiny-pairs.ts'
