export { type SelfNpoBatch, type SelfNpoOptions, selfNpo } from './self-npo.ts'
