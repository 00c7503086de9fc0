export { l1, near, type Numbers, numbersNear, sum } from './numbers.ts'
export { vocabulary } from './vocabulary.ts'
