export { philoxNormal, philoxUniform, type RandomAttrs } from './random.ts'
