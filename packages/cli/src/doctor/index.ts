export { type DoctorOptions, runDoctor } from './doctor.ts'
export type { CopyRate, DoctorReport, MatmulRate, Measurements } from './doctor-report.ts'
export { bytesText, doctorText, threeDigits } from './doctor-text.ts'
export { bestOf, measure } from './measure.ts'
