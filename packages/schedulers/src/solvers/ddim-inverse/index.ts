export { ddimInverse, type DdimInverseConfig } from './ddim-inverse.ts'
