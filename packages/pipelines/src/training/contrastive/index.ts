export type { ClipData, ClipModels, TrainedClip } from './clip-models.ts'
export { contrastiveLoss, type ContrastiveLossOptions } from './contrastive-loss.ts'
export { retrieval, type RetrievalOptions } from './retrieval.ts'
export { trainClip, type TrainClipOptions } from './train-clip.ts'
