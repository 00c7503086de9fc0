export { digitsOf } from './digits.ts'
export { product } from './product.ts'
export { storeOf } from './store.ts'
