export { l1, near, sum } from './numbers.ts'
export { waveParameter, waves } from './waves.ts'
