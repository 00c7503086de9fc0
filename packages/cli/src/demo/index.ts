export { type Base, loadBase } from './base.ts'
export { type DemoOptions, type DemoResult, runDemo } from './demo.ts'
