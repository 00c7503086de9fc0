export { readGguf } from './read-gguf.ts'
