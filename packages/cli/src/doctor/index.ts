export { type DoctorOptions, runDoctor } from './doctor.ts'
export type { DoctorReport } from './doctor-report.ts'
export { doctorText } from './doctor-text.ts'
