import { f32Bits, type Kernel, type Target } from '../../../op.ts'
import { quotientFits, repeat } from '../../../wgsl/index.ts'
import { packKernel } from '../../operands/index.ts'
import { ofFilters, positions, size } from './scheme.ts'
import { type Tiling, tapTexels } from './tiling.ts'

/** WGSL of what a row of G multiplies the tap of that number by, on one axis. */
function weightOf(row: number, tap: string): string {
  const [a = 0, b = 0, c = 0] = ofFilters[row] ?? []
  return `select(select(f32(${c}), f32(${b}), ${tap} == 1u), f32(${a}), ${tap} == 0u)`
}

/**
 * `U = G g Gᵀ` of filters of 3×3 taps, as the left operand of products: the panels of a position, as {@link packPanels} lays them
 * out, follow those of the one before.
 *
 * Idea: each tap adds to all positions as it is read, so that few accesses to the buffer are compiled. A workgroup walks a panel
 * from end to end and writes 36 lines of texels: 1280 filters of as many channels take 60 ms, where scattered texels took 180.
 */
export function transformTaps(t: Tiling, target: Target): Kernel {
  const items = t.groups * t.panels
  const { taps } = t
  return packKernel({ label: t.label, dtype: t.dtype, input: 1, texture: 1 }, {
    name: 'pack-taps', texels: tapTexels(t), items,
    params: {
      panels: t.panels, rows: t.rows, fours: t.fours, channels: t.channels, position: t.panels * t.fours * t.panel,
      'of_panels: f32': f32Bits(1 / t.panels),
      first: taps.first, tap_step: taps.step, group_step: taps.group, row_step: taps.row, step: taps.channel,
    },
    quick: quotientFits(items, t.panels),
    each: /* wgsl */ `
    let z = over(item, P.panels, P.of_panels);
    let row = min((item - z * P.panels) * WG + lane, P.rows - 1u);
    var e = P.first + z * P.group_step + row * P.row_step;
    var to = (item + z * ${positions - 1}u * P.panels) * P.fours * WG + lane;
    for (var c = 0u; c < P.channels; c += 4u) {
      let known = c + vec4u(0u, 1u, 2u, 3u) < vec4u(P.channels);
      ${repeat(positions, (k) => `var u${k} = vec4f();`)}
      for (var v = 0u; v < 3u; v++) {
        ${repeat(size, (i) => `let v${i} = ${weightOf(i, 'v')};`)}
        for (var h = 0u; h < 3u; h++) {
          let w = select(vec4f(), vec4f(Acc(x[e]), Acc(x[e + P.step]), Acc(x[e + 2u * P.step]), Acc(x[e + 3u * P.step])), known);
          ${repeat(size, (j) => `let w${j} = ${weightOf(j, 'h')} * w;`)}
          ${repeat(size, (i) => repeat(size, (j) => `u${i * size + j} += v${i} * w${j};`))}
          e += P.tap_step;
        }
      }
      ${repeat(positions, (k) => `textureStore(texels, at(to + ${k}u * P.position), u${k});`)}
      e += 4u * P.step - 9u * P.tap_step;
      to += WG;
    }
  `,
  }, target)
}
