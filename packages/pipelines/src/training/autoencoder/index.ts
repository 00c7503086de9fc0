export { autoencoderLoss, type AutoencoderWeights } from './autoencoder-loss.ts'
export { trainAutoencoder, type TrainAutoencoderOptions } from './train-autoencoder.ts'
