import type { Direction, Geometry } from '../../../conv2d/index.ts'
import type { Target } from '../../../op.ts'
import { panelCount, rowBlock } from '../../blocks.ts'
import { positions, tile } from './scheme.ts'

/** Sizes of a convolution of 3×3 by tiles, in terms of what it reads and what it writes. */
export interface Tiling {
  readonly label: Direction
  readonly dtype: 'f32' | 'f16'
  readonly groups: number
  /** Channels of a group that are summed, those in texels of four, and those that are computed, in panels of so many. */
  readonly channels: number
  readonly fours: number
  readonly rows: number
  readonly panels: number
  readonly panel: number
  readonly images: number
  /** Sizes of an image that is read, and how many rows and columns before it the first tile begins. */
  readonly height: number
  readonly width: number
  readonly top: number
  readonly left: number
  readonly outHeight: number
  readonly outWidth: number
  /** Tiles down and across an image, and all. */
  readonly down: number
  readonly across: number
  readonly tiles: number
  /** Where taps stand in the weight: the first, the next, and those of the next group, row and channel. */
  readonly taps: { readonly first: number; readonly step: number; readonly group: number; readonly row: number; readonly channel: number }
}

/**
 * The tiling of a convolution of 3×3 that moves by single pixels, or of the gradient of its input, which is a convolution as well:
 * of slopes, by filters turned round, from filters to channels.
 */
export function tilingOf(label: Direction, dtype: 'f32' | 'f16', g: Geometry, target: Target): Tiling {
  const [cin, cout] = [g.inChannels / g.groups, g.outChannels / g.groups]
  const [top, left] = g.padding
  const forward = label === 'conv2d'
  const group = cout * cin * 9
  const [rows, channels] = forward ? [cout, cin] : [cin, cout]
  const [outHeight, outWidth] = forward ? [g.outHeight, g.outWidth] : [g.height, g.width]
  const [down, across] = [Math.ceil(outHeight / tile), Math.ceil(outWidth / tile)]
  return {
    label, dtype, groups: g.groups, channels, fours: Math.ceil(channels / 4), rows, panels: panelCount(rows, target), panel: rowBlock(rows, target).panel,
    images: g.batch, outHeight, outWidth, down, across, tiles: g.batch * down * across,
    ...(forward
      ? { height: g.height, width: g.width, top, left, taps: { first: 0, step: 1, group, row: cin * 9, channel: 9 } }
      : { height: g.outHeight, width: g.outWidth, top: 2 - top, left: 2 - left, taps: { first: 8, step: -1, group, row: 9, channel: cin * 9 } }),
  }
}

/** Texels of the transformed filters, tiles and products. */
export function tapTexels({ groups, panels, panel, fours }: Tiling): number {
  return groups * positions * panels * panel * fours
}
export function tileTexels({ groups, fours, tiles }: Tiling): number {
  return groups * positions * fours * tiles
}
export function productTexels({ groups, panels, panel, tiles }: Tiling): number {
  return groups * positions * panels * panel * Math.ceil(tiles / 4)
}
