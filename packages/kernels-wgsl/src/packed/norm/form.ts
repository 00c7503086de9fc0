/** A way to walk texel groups, as the rest of a kernel's text. */
export interface Form {
  readonly name: string
  readonly params: Readonly<Record<string, number>>
  /** WGSL of what a workgroup does, one subgroup of `WG` lanes. */
  readonly body: string
  readonly workgroups: readonly [number, number, number]
}
