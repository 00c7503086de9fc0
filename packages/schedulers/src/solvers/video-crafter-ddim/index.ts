export { videoCrafterDdim, type VideoCrafterDdimConfig } from './video-crafter-ddim.ts'
