export { couplePhrases } from './couples.ts'
export { kinPhrases } from './kin.ts'
export { type Person, personOf } from './person.ts'
export { personPhrases } from './phrases.ts'
