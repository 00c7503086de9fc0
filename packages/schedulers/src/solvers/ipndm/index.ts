export { ipndm, type IpndmConfig } from './ipndm.ts'
