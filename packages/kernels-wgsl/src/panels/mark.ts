import { scratch, type Storage } from '../wgsl/index.ts'

/**
 * A word that a kernel writes beside a texture, because plans take one that binds inputs and textures alone for a pack of those
 * inputs, which others may share: one that reads textures depends on what they hold.
 */
export const mark: { readonly storage: Storage; readonly statement: (where: string) => string } = {
  storage: /* @__PURE__ */ scratch(0, 4, 'mark', 'u32'),
  /** Statement that writes it where the condition holds. */
  statement: (where: string): string => `if (${where}) { mark[0] = 1u; }`,
}
