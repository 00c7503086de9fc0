import { at, type Binding } from '@antipode/kernels-wgsl'
import type { LeafStructure } from '../graph.ts'
import type { Dispatch, Program } from '../program.ts'

/** Packed operands that later kernels may share: few, since what is shared takes memory. */
const shared = 8
/**
 * Bytes of packed leaves that a plan keeps from run to run, where a model of more than some megabytes would take them
 * twice.
 */
const keptBytes = 2 ** 25

/**
 * The last pass, for operands in textures: what is packed already is not packed again (the projections of an attention
 * all pack the same tokens), and packed leaves that no op of the graph overwrites may be kept from run to run.
 */
export function sharePacked(program: Program, leaves: readonly LeafStructure[]): Program {
  if (!program.buffers.some((b) => b.kind === 'texture')) return program
  const buffers = [...program.buffers]
  const changing = new Set(program.overwritten)
  const kept = new Map<string, number>()
  const recent = new Map<string, number>()
  const instead = new Map<number, number>()
  let bytes = 0
  const keep = (id: number, { buffers: read }: Dispatch): boolean => {
    const texture = at(buffers, id)
    const [from, ...others] = read.flatMap((b) => (b === id ? [] : [at(buffers, b)]))
    if (texture.kind !== 'texture' || from?.kind !== 'leaf' || others.length > 0) return false
    if (changing.has(from.index) || at(leaves, from.index).shared || bytes + texture.bytes > keptBytes) return false
    bytes += texture.bytes
    buffers[id] = { ...texture, keep: from.index }
    return true
  }
  const dispatches = program.dispatches.flatMap((d): Dispatch[] => {
    const bound: Dispatch = { ...d, buffers: d.buffers.map((id) => instead.get(id) ?? id) }
    if (d.overwrites) recent.clear()
    const pack = packOf(bound)
    if (!pack) return [bound]
    const known = kept.get(pack.key) ?? recent.get(pack.key)
    if (known !== undefined) {
      instead.set(pack.texture, known)
      return []
    }
    if (keep(pack.texture, bound)) {
      kept.set(pack.key, pack.texture)
      return [{ ...bound, packs: pack.texture }]
    }
    recent.set(pack.key, pack.texture)
    const [oldest] = recent.keys()
    if (recent.size > shared && oldest !== undefined) recent.delete(oldest)
    return [bound]
  })
  return { ...program, buffers, dispatches }
}

/** The texture that a dispatch packs an input into, doing nothing else, and what it will hold. */
function packOf({ kernel, buffers }: Dispatch): { readonly texture: number; readonly key: string } | undefined {
  let texture: number | undefined
  const read: (number | string)[] = []
  for (const [k, b] of kernel.bindings.entries()) {
    if (b.kind === 'output' || b.kind === 'scratch' || isRead(b)) return undefined
    if (b.kind === 'texture') texture ??= at(buffers, k)
    read.push(b.kind === 'input' ? at(buffers, k) : b.kind)
  }
  return texture === undefined ? undefined : { texture, key: `${kernel.wgsl}/${kernel.params.join()}/${read.join()}` }
}

/** Whether a binding reads a texture: what that holds is not known by its number. */
function isRead(b: Binding): boolean {
  return b.kind === 'texture' && b.access === 'read'
}
