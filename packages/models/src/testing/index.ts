export { l1, near, sum } from './numbers.ts'
export { vocabulary } from './vocabulary.ts'
export { waveParameter, waves } from './waves.ts'
