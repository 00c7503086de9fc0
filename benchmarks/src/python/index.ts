import type { Runner } from '../workload.ts'
export const open = (_module: string, _mode?: string): Promise<Runner> => Promise.reject(new TypeError('later'))
