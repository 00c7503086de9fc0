export { ddpm, type DdpmConfig } from './ddpm.ts'
