export { readTorch } from './read-torch.ts'
