export { type Emoji, type SkinTone, type ToneVariant } from './emoji.ts'
export { readEmoji } from './read-emoji.ts'
