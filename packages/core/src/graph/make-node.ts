import { type Attrs, type Op, shapeText, type Spec, type Target } from '@antipode/kernels-wgsl'
import { DisposedError, DTypeError, ShapeError, UnsupportedError } from '../errors.ts'
import { type GraphNode, type GraphTrace, nextOrder, type SharedSpec, type Signature } from './node.ts'

/** What an op is applied to. */
export interface Application<T> {
  readonly op: Op
  readonly inputs: readonly T[]
  readonly attrs: Attrs
  /** What it stands for, where it is a call of a compiled function. */
  readonly trace: GraphTrace<T> | undefined
}

/** An operand, as far as it is checked here. */
interface Operand<D> extends Spec {
  readonly device: D
  readonly source: { readonly kind: string }
}

/**
 * The device on which all inputs live. @throws {DisposedError} if one was disposed @throws {DTypeError} if they live on
 * several
 */
export function deviceOf<D>({ op, inputs }: Pick<Application<Operand<D>>, 'op' | 'inputs'>): D {
  const device = (inputs.find((t) => t.source.kind !== 'scalar') ?? inputs[0])?.device
  if (device === undefined) throw new ShapeError(`${op.name}: expected at least one input`)
  for (const t of inputs) {
    if (t.source.kind === 'disposed') {
      const input = `${t.dtype}${shapeText(t.shape)}`
      throw new DisposedError(`${op.name}: an input ${input} was disposed; keep it until its last use`)
    }
    if (t.device !== device) throw new DTypeError(`${op.name}: inputs live on different devices; upload them to one`)
  }
  return device
}

/**
 * The node of an application and its outputs, each made by `output`.
 * @throws {UnsupportedError} if it needs f16 on a device without
 */
export function makeNode<T extends Spec>(
  { op, inputs, attrs, trace }: Application<T>,
  { key, specs }: Signature,
  { target, checkFinite }: { readonly target: Target; readonly checkFinite?: boolean },
  output: (spec: SharedSpec, node: GraphNode<T>, index: number) => T,
): GraphNode<T> {
  if (!target.f16 && [...inputs, ...specs].some((s) => s.dtype === 'f16')) {
    throw new UnsupportedError(`${op.name}: expected dtypes this adapter computes in, got f16, which it lacks; use f32`)
  }
  const node: { -readonly [K in keyof GraphNode<T>]: GraphNode<T>[K] } =
    { key, specs, op, attrs, inputs, outputs: [], order: nextOrder(), trace, stack: undefined }
  if (checkFinite) node.stack = stackHere()
  node.outputs = specs.map((spec, index) => output(spec, node, index))
  return node
}

/** Frames kept of a stack: a network's modules call each other deeply. */
const frames = 40

function stackHere(): string {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = frames
  const { stack = '' } = new Error('made here')
  Error.stackTraceLimit = before
  return stack.slice(stack.indexOf('\n') + 1)
}
