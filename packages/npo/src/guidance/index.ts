export { cfg, type CfgOptions } from './cfg.ts'
