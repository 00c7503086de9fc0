export { drawingsOf, type Drawing, type Emoji, emojiOf } from './emoji.ts'
export { familyOf, splitOf, splits } from './family.ts'
export { stableHash } from './stable-hash.ts'
