export { eulerAncestral, type EulerAncestralConfig } from './euler-ancestral.ts'
