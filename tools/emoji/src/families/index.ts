export { familiesOf, type Split, splitOf } from './families.ts'
