export { churned, churnFields, churns, type ChurnConfig } from './churn.ts'
export { euler, type EulerConfig } from './euler.ts'
