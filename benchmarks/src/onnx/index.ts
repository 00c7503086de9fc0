export { openNode } from './node.ts'
export { openWeb } from './web.ts'
