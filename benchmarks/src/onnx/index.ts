import type { Runner } from '../workload.ts'
export const openNode = (): Promise<Runner> => Promise.reject(new TypeError('later'))
export const openWeb = (): Promise<Runner> => Promise.reject(new TypeError('later'))
