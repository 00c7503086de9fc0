import { type Direction, dtypeOf, type Geometry } from '../../conv2d/index.ts'
import { maxWorkgroups } from '../../dispatch.ts'
import type { Kernel, Problem, Target } from '../../op.ts'
import { assemble, input, repeat } from '../../wgsl/index.ts'
import { digitsOf, storeOf } from '../product/index.ts'

/**
 * A convolution of 1×1, or the gradient of its input, read from buffers: `y[b, z, row, p] = Σ_k w(z, row, k) · x[b, z, k, p]`.
 * Undefined where four pixels do not lie together, or a filter has more taps, or is moved; and on other adapters, where it has
 * not been measured.
 *
 * Idea: as the packed product, a lane owns four neighbouring pixels, which one access reads and, mostly, one stores: three
 * accesses a round of the sum and one a row stored, where pixels apart took six and four. Workgroups stride over the pixels, since
 * short sums are done sooner than a workgroup begins. llvmpipe takes 100 µs in place of 150 for 8 channels of 96 images of 4×4 to
 * 32, and 240 in place of 490 for 32 of 8×8 to 16.
 */
export function pixelwise(label: Direction, problem: Problem, g: Geometry, target: Target): Kernel[] | undefined {
  const lanes = target.subgroupSize
  const plane = g.height * g.width
  const cols = g.batch * plane
  const dtype = dtypeOf(problem)
  const outType = problem.epilogue?.dtype ?? dtype
  const still = [g.kernelHeight, g.kernelWidth, ...g.stride].every((n) => n === 1) && g.padding.every((n) => n === 0)
  if (!still || target.tuning.adapter !== 'lavapipe' || lanes < 4 || outType !== dtype || plane % 4 || cols < 4 * lanes) return undefined
  const [cin, cout] = [g.inChannels / g.groups, g.outChannels / g.groups]
  const [all, depth, rowStep, step] = label === 'conv2d' ? [cout, cin, cin, 1] : [cin, cout, 1, cin]
  // Few rows make a text of their own, as everywhere.
  const rows = [1, 4, lanes].find((n) => all <= n) ?? 2 * lanes
  const parts = Math.ceil(rows / lanes)
  const radix = [g.height, g.width] as const
  const digits = digitsOf({ radix }, cols)
  const rowBlocks = Math.ceil(all / rows)
  const colBlocks = Math.ceil(cols / (4 * lanes))
  const { busy } = target.tuning
  const store = storeOf({
    problem, cols, radix, shape: [g.batch, g.groups * all, g.height, g.width],
    place: ([image = 0, channel = 0, y = 0, x = 0]) => ({ offset: 0, batch: all * channel, steps: [image, y, x], row: channel }),
  }, dtype, rows)
  return [assemble({
    label: `${label}/${dtype}/pixels${rows}${digits.quick ? '' : 'd'}`,
    dtype,
    subgroups: true,
    params: {
      rows: all, cols, batch: g.groups, row_blocks: rowBlocks, col_blocks: colBlocks, depth,
      w_batch: cin * cout, w_row: rowStep, w_step: step, x_image: g.groups * depth * plane / 4, x_step: plane / 4, width: g.width,
      ...digits.params,
      ...store.params,
    },
    storage: [input(1, 'w'), input(0, 'x', 'vec4<Scalar>'), ...store.storage],
    body: /* wgsl */ `
override WG: u32;
${digits.wgsl}${store.declarations}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var z = group.z; z < P.batch; z += groups.z) {
  for (var r = group.x; r < P.row_blocks; r += groups.x) {
  let first = r * ${rows}u;
  let count = min(${rows}u, P.rows - first);
  for (var block = group.y; block < P.col_blocks; block += groups.y) {
    let col = (block * WG + lane) * 4u;
    let pixel = digits(min(col, P.cols - 4u));
    var at_x = pixel.x * P.x_image + z * P.depth * P.x_step + (pixel.y * P.width + pixel.z) / 4u;
    ${repeat(parts, (q) => `var at_w${q} = z * P.w_batch + min(first + lane + ${q}u * WG, P.rows - 1u) * P.w_row;`)}
    ${repeat(rows, (i) => `var s${i} = vec4f();`)}
    for (var k = 0u; k < P.depth; k++) {
      let pixels = vec4f(x[at_x]);
      ${repeat(parts, (q) => `let w${q} = Acc(w[at_w${q}]); at_w${q} += P.w_step;`)}
      ${repeat(rows, (i) => `s${i} += subgroupBroadcast(w${Math.floor(i / lanes)}, ${i % lanes}u) * pixels;`)}
      at_x += P.x_step;
    }${store.statements}
  }}}
}
`,
    constants: { WG: lanes },
    workgroups: [Math.min(rowBlocks, busy), Math.min(colBlocks, Math.ceil(busy / rowBlocks)), Math.min(g.groups, maxWorkgroups)],
    epilogue: store.epilogue,
  })]
}
