export { ddim, type DdimConfig } from './ddim.ts'
