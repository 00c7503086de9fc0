// attentionGradKV/dv/f32/2x1/causal/mask/tile4: 2 × 1 × 1 workgroups, WG = 64; input 0, input 1, input 3, input 4, input 6, output 1
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, blocks: u32, rows: u32, others: u32, keys: u32, depth: u32, each: u32, heads: u32, blocks_inverse: f32, heads_inverse: f32, own_head: u32, seen_head: u32, token: u32, token_elements: u32, mask_batch: u32, mask_head: u32, scale: f32, off: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> q: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read> k: array<Scalar>;
@group(0) @binding(3) var<storage, read> dy: array<vec4<Scalar>>;
@group(0) @binding(4) var<storage, read> statistics: array<f32>;
@group(0) @binding(5) var<storage, read> mask: array<Scalar>;
@group(0) @binding(6) var<storage, read_write> dv: array<Scalar>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

override WG: u32;
alias R = f32;
alias RU = u32;
const ROWS = 16u;
fn meet(x: R) -> R {
  var sum = x;
  sum += subgroupShuffleXor(sum, 1u); sum += subgroupShuffleXor(sum, 2u);
  return sum;
}
fn score(dot: R, plane: u32, row: RU, j: u32) -> R {
  var t = dot * P.scale;
  let spot = RU(plane) + u32(j) * P.keys + row;
  t += Acc(mask[spot]);
  return select(R(bitcast<f32>(P.off)), t, (row <= u32(j)));
}

fn not_number(x: f32) -> bool { return (bitcast<u32>(x) & u32(0x7fffffffu)) > u32(0x7f800000u); }
fn weight(d: f32) -> f32 { return select(select(exp(d), f32(), d < f32(-104.0)), d, not_number(d)); }

fn fetch_q(seen: u32, j: u32, d: u32) -> vec4f {
  let ok = j < P.others && d < P.depth;
  return select(vec4f(), vec4f(q[select(0u, (seen + j * P.token) * P.depth + d, ok) / 4u]), ok);
}
var<workgroup> tile_q: array<vec2f, 128>;
fn fetch_dy(seen: u32, j: u32, d: u32) -> vec4f {
  let ok = j < P.others && d < P.depth;
  return select(vec4f(), vec4f(dy[select(0u, (seen + j * P.token) * P.depth + d, ok) / 4u]), ok);
}
var<workgroup> tile_dy: array<vec2f, 128>;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var turn = w.x; turn < P.items; turn += groups.x) {
    let item = turn;
    let unit = quotient(item, P.blocks, P.blocks_inverse);
    let first = (item - unit * P.blocks) * ROWS;
    let batch = quotient(unit, P.heads, P.heads_inverse);
    let head = unit - batch * P.heads;
    let plane = batch * P.mask_batch + head * P.mask_head;
    let place = lane / 4u;
    let row = min(RU(first + place), RU(P.rows - 1u));
    // The numbers of the head's first vectors, of those that are owned and of those that stream.
    let own = batch * P.heads * P.rows + head * P.own_head;
    let seen = batch * P.heads * P.others + head * P.seen_head;
    var held = array<R, 2>();
    for (var d = 0u; d < 2u; d++) {
      let channel = d / 2u * 8u + lane % 4u * 2u + d % 2u;
      for (var c = 0u; c < P.each && channel < P.depth; c++) { held[d] = Acc(k[own * P.depth + row * P.token_elements + channel]); }
    }
    let k_0 = held[0]; let k_1 = held[1];
    var sum_v_0 = R(); var sum_v_1 = R();
    
    let member = lane % 4u;
    for (var begin = first; begin < P.others; begin += 32u) {
      workgroupBarrier();
      for (var l = lane; l < 64u; l += WG) {
        let j = begin + l / 2u;
        let d = l % 2u * 4u;
        {
          let v = fetch_q(seen, j, d);
          tile_q[l * 2u + 0u] = v.xy; tile_q[l * 2u + 1u] = v.zw;
        }
{
          let v = fetch_dy(seen, j, d);
          tile_dy[l * 2u + 0u] = v.xy; tile_dy[l * 2u + 1u] = v.zw;
        }
      }
      workgroupBarrier();
      // Dawn proves that such indices are inside, and then does not check them.
      for (var turn = 0u; turn < 32u; turn++) {
        let j = begin + turn * 1u;
        if (j >= P.others) { break; }
        let other_0 = min(j + 0u, P.others - 1u);
        let q_0_0 = tile_q[(turn * 1u + 0u) * 4u + 0u + member];
let dy_0_0 = tile_dy[(turn * 1u + 0u) * 4u + 0u + member];
        
        let p_0 = statistics[2u * (seen + other_0 * P.token) + 1u] * weight(score(meet((k_0 * q_0_0.x + k_1 * q_0_0.y)), plane, row, j + 0u) - statistics[2u * (seen + other_0 * P.token) + 0u]);
        sum_v_0 = sum_v_0 + (p_0 * dy_0_0.x);
sum_v_1 = sum_v_1 + (p_0 * dy_0_0.y);
        
        
      }
    }
    
    for (var i = 0u; i < 2u; i++) {
      var sum_v_ = R();
      switch (i) { case 0u: { sum_v_ = sum_v_0; } default: { sum_v_ = sum_v_1; } }
      let channel = i / 2u * 8u + lane % 4u * 2u + i % 2u;
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * 16u + place;
        if (r < P.rows && channel < P.depth) { dv[own * P.depth + r * P.token_elements + channel] = Scalar(sum_v_); }
      }
    }
  }
}
