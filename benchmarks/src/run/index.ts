export { compare } from './compare.ts'
export { Processes } from './processes.ts'
export type { Line, Request } from './protocol.ts'
export { Session } from './session.ts'
