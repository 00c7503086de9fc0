export { meanSlope, mostSlopes } from './multistep.ts'
export { pndm, type PndmConfig } from './pndm.ts'
