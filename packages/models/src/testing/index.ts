export { waveParameter, waves } from './waves.ts'
