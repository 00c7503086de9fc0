export { degraded, type DegradedPicture, kinds } from './degrade.ts'
