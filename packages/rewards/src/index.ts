export { AestheticHead, type AestheticOptions } from './aesthetic.ts'
