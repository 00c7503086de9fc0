export { waveParameter, waves } from '@antipode/core/testing'
export { l1, near, type Numbers, numbersNear, sum } from './numbers.ts'
export { vocabulary } from './vocabulary.ts'
