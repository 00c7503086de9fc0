export { putAlong, type PutAlongAttrs, takeAlong } from './along.ts'
export { gather, scatterAdd, type ScatterAddAttrs } from './gather.ts'
