export { fromConfig, type FromConfigOptions } from './from-config.ts'
export { toConfig, type DiffusersConfig } from './to-config.ts'
