export { AestheticHead, type AestheticOptions, aestheticReward } from './aesthetic.ts'
export { clipImages, type ClipImagesOptions } from './clip-images.ts'
