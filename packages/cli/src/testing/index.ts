export { done, FakeProcess } from './fake-process.ts'
export { pickAPic, tinyModels, writeTinyPairs } from './tiny-pairs.ts'
