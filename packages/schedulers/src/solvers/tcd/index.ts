export { tcd, type TcdConfig } from './tcd.ts'
