export { lms, type LmsConfig } from './lms.ts'
