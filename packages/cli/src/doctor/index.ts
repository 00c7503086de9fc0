export { type DoctorOptions, runDoctor } from './doctor.ts'
export { DOCTOR_SCHEMA_VERSION, type DoctorReport } from './doctor-report.ts'
export { doctorText } from './doctor-text.ts'
