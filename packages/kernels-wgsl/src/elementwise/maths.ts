import type { Attrs, ApplyOp, DType, Maths, Op, Spec } from '../op.ts'
import * as table from './table.ts'

/** Completes a {@link ApplyOp} from the three things that differ between its hosts. */
export function makeApplyOp<T>(host: {
  apply(op: Op, inputs: readonly T[], attrs: Attrs): readonly T[]
  spec(t: T): Spec
  scalar(value: number, dtype: DType): T
}): ApplyOp<T> {
  const elementwise = (op: Op) => (...args: (T | number)[]): T => {
    const like = args.find((a): a is T => typeof a !== 'number')
    const dtype: DType = like === undefined ? 'f32' : host.spec(like).dtype
    return host.apply(op, args.map((a) => (typeof a === 'number' ? host.scalar(a, dtype) : a)), {})[0] as T
  }
  const m: Maths<T> = {
    add: elementwise(table.add), sub: elementwise(table.sub), mul: elementwise(table.mul), div: elementwise(table.div),
    pow: elementwise(table.pow), lt: elementwise(table.lt), le: elementwise(table.le), gt: elementwise(table.gt),
    ge: elementwise(table.ge), eq: elementwise(table.eq), where: elementwise(table.where), neg: elementwise(table.neg),
    sign: elementwise(table.sign), exp: elementwise(table.exp), log: elementwise(table.log), square: elementwise(table.square),
    sqrt: elementwise(table.sqrt), sin: elementwise(table.sin), cos: elementwise(table.cos),
    sigmoid: elementwise(table.sigmoid), erf: elementwise(table.erf), erfc: elementwise(table.erfc), siluGrad: elementwise(table.siluGrad),
  }
  const call = (op: Op, inputs: readonly T[], attrs: Attrs = {}): readonly T[] => host.apply(op, inputs, attrs)
  return Object.assign(call, { spec: host.spec, scalar: host.scalar, m })
}
