import { stridedGroups } from '../../dispatch.ts'
import type { DType, Kernel, Target } from '../../op.ts'
import { assemble, input, over, texture } from '../../wgsl/index.ts'

/** What every operand to be packed says: names, the input that is read, and the texture that is written. */
export interface Packed {
  readonly label: string
  readonly dtype: DType
  readonly input: number
  readonly texture: number
  /** What is read at once, `Scalar` by default. */
  readonly type?: 'Scalar' | 'vec4<Scalar>'
}

/** How one layout is packed. */
export interface Packing {
  readonly name: string
  readonly texels: number
  /** Items of work, each a run of texels that needs no division inside. */
  readonly items: number
  readonly params: Readonly<Record<string, number>>
  /** Whether quotients of item numbers may be taken by reciprocals: `over(i, d, inverse)` in the text. */
  readonly quick: boolean
  /** WGSL of what all items have in common. */
  readonly before?: string
  /** WGSL that packs `item`, lane `lane` of `WG` taking part, from `x` to `texels`. */
  readonly each: string
}

/**
 * A kernel that packs an operand into a texture: a workgroup is one subgroup and walks items. What llvmpipe dislikes
 * decides: few workgroups, and no integer divisions (60 ns each for eight lanes), which took half of the time of
 * planes of 6×6 pixels.
 */
export function packKernel({ label, dtype, input: index, texture: to, type = 'Scalar' }: Packed, { name, texels, items, params, quick, before = '', each }: Packing, target: Target): Kernel {
  return assemble({
    label: `${label}/${dtype}/${name}${quick ? '' : 'd'}`,
    dtype,
    params: { items, ...params },
    storage: [input(index, 'x', type), texture(to, texels, 'texels', 'write')],
    body: /* wgsl */ `
override WG: u32;
${over(quick)}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  ${before}
  for (var item = w.x; item < P.items; item += nw.x) {${each}}
}
`,
    constants: { WG: Math.max(1, target.subgroupSize) },
    workgroups: [stridedGroups(items, target), 1, 1],
    epilogue: null,
  })
}
