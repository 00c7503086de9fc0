export { type SoundFile, testDamagedFiles } from './damaged-files.ts'
