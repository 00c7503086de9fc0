import { maxWorkgroups } from '../dispatch.ts'
import type { Epilogue, Kernel } from '../op.ts'
import { assemble, output, type Storage } from '../wgsl/index.ts'
import type { Gemm } from './problem.ts'

/** WGSL of what {@link Gemm.walks} are written with. */
export const runStruct = /* wgsl */ `
struct Run { base: u32, step: u32, x: u32, dx: u32, limit: u32 }
fn inside(base: u32, step: u32) -> Run { return Run(base, step, 0u, 0u, 1u); }
`

/** What a form adds to a product. */
interface Built {
  readonly name: string
  readonly body: string
  readonly outType: string
  readonly workgroup: number
  readonly groups: readonly [number, number, number]
  readonly params: Readonly<Record<string, number>>
  readonly subgroups?: boolean
  readonly matrices?: boolean
  /** Whether results are written four at a time. */
  readonly vectors?: boolean
  /** What is written and the expression fused into that: by default the output and the problem's own. */
  readonly out?: Storage
  readonly epilogue?: Epilogue | undefined
}

/** The kernel of a product in one form. */
export function build(g: Gemm, { name, body, outType, workgroup, groups, params, subgroups = false, matrices = false, vectors = false, ...given }: Built): Kernel {
  const dtype = g.problem.inputs[0]?.dtype ?? 'f32'
  const out = given.out ?? output(0, 'out')
  return assemble({
    label: `${g.label}/${dtype}/${name}`,
    dtype,
    subgroups,
    matrices,
    params: { rows: g.rows, cols: g.cols, batch: g.batch, outer: g.outer, inner: g.inner, row_stride: g.rowStride, ...params, ...g.params },
    storage: [...g.storage, { ...out, type: vectors ? `vec4<${outType}>` : outType }],
    body: `alias Out = ${outType};\n${body}`,
    constants: { WG: workgroup },
    // Beyond the limit workgroups loop: a million rows of few columns are no rarity.
    workgroups: [Math.min(groups[0], maxWorkgroups), Math.min(groups[1], maxWorkgroups), Math.min(groups[2], maxWorkgroups)],
    epilogue: given.out ? given.epilogue : g.problem.epilogue,
  })
}
