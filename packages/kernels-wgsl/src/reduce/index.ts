export { expand, type ExpandAttrs, reduce, type ReduceAttrs, sumTo } from './reduce.ts'
