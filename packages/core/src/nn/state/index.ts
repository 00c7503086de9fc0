export { type Checkpoint, isMap, stateOf } from './checkpoint.ts'
export { checkFit, readAll, some, type Wanted } from './read-state.ts'
export { type StateFile } from './safetensors-state.ts'
export { type StateInfo, type StateSource, typeRead } from './state-source.ts'
