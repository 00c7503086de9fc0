export { inflate, type TemporalBlock } from './inflate.ts'
export type { TemporalSite } from './sites.ts'
export { TemporalLayers, type VideoCondition, VideoUNet } from './video-unet.ts'
