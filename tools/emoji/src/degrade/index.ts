export { degraded, type DegradationKind } from './degrade.ts'
export { onWhite, type Picture } from './picture.ts'
