export { minSnrWeight, snr, type MinSnrOptions } from './snr.ts'
