export { combine, float32Linear, type Linear, type Term } from './linear.ts'
