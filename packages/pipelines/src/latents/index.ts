export { Draws } from './draws.ts'
export { toAutoencoder, toUNet } from './latent-space.ts'
