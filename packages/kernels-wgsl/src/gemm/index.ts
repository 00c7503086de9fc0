export { contract } from './contract.ts'
export { columnsOf, type Contraction, type Place, placeSteps, type Window } from './contraction.ts'
