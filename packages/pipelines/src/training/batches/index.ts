export { type LatentPairs, latentPairs, type LatentPairsOptions } from './latent-pairs.ts'
