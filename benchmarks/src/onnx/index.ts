export { openNode } from './node.ts'
export { openWeb } from './web.ts'
export { peerModule } from './ort.ts'
