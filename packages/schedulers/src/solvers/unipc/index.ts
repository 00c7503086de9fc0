export { uniPc, type UniPcConfig } from './unipc.ts'
