export { DatasetError } from './dataset-error.ts'
export { jsonObject } from './json-lines.ts'
export { openPairs } from './open-pairs.ts'
export { type PairOfPictures, type PairRow, type PairRows, type PreferencePair } from './pair.ts'
