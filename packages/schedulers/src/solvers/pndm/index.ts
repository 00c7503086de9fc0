export { pndm, type PndmConfig } from './pndm.ts'
