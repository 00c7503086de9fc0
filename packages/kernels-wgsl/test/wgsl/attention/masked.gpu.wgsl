// attention/f32/2x1/causal/mask/tile4: 2 × 1 × 1 workgroups, WG = 64; input 0, input 1, input 2, input 3, output 0, output 1, output 2
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, blocks: u32, rows: u32, others: u32, keys: u32, depth: u32, each: u32, heads: u32, blocks_inverse: f32, heads_inverse: f32, own_head: u32, seen_head: u32, token: u32, token_elements: u32, mask_batch: u32, mask_head: u32, scale: f32, off: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> q: array<Scalar>;
@group(0) @binding(2) var<storage, read> k: array<vec4<Scalar>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<Scalar>>;
@group(0) @binding(4) var<storage, read> mask: array<Scalar>;
@group(0) @binding(5) var<storage, read_write> out: array<Scalar>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;
@group(0) @binding(7) var<storage, read_write> statistics: array<f32>;

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
  let spot = RU(plane) + row * P.keys + u32(j);
  t += Acc(mask[spot]);
  return select(R(bitcast<f32>(P.off)), t, (u32(j) <= row) & (j < P.others));
}

fn not_number(x: f32) -> bool { return (bitcast<u32>(x) & u32(0x7fffffffu)) > u32(0x7f800000u); }
fn weight(d: f32) -> f32 { return select(select(exp(d), f32(), d < f32(-104.0)), d, not_number(d)); }

fn fetch_k(seen: u32, j: u32, d: u32) -> vec4f {
  let ok = j < P.others && d < P.depth;
  return select(vec4f(), vec4f(k[select(0u, (seen + j * P.token) * P.depth + d, ok) / 4u]), ok);
}
var<workgroup> tile_k: array<vec2f, 128>;
fn fetch_v(seen: u32, j: u32, d: u32) -> vec4f {
  let ok = j < P.others && d < P.depth;
  return select(vec4f(), vec4f(v[select(0u, (seen + j * P.token) * P.depth + d, ok) / 4u]), ok);
}
var<workgroup> tile_v: array<vec2f, 128>;
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
      for (var c = 0u; c < P.each && channel < P.depth; c++) { held[d] = Acc(q[own * P.depth + row * P.token_elements + channel]); }
    }
    let q_0 = held[0]; let q_1 = held[1];
    var sum_0 = R(); var sum_1 = R();
    
    var top = R(-0x1.fffffep+127);
    var total = R();
    let member = lane % 4u;
    for (var begin = 0u; begin < min(P.others, first + ROWS); begin += 32u) {
      workgroupBarrier();
      for (var l = lane; l < 64u; l += WG) {
        let j = begin + l / 2u;
        let d = l % 2u * 4u;
        {
          let v = fetch_k(seen, j, d);
          tile_k[l * 2u + 0u] = v.xy; tile_k[l * 2u + 1u] = v.zw;
        }
{
          let v = fetch_v(seen, j, d);
          tile_v[l * 2u + 0u] = v.xy; tile_v[l * 2u + 1u] = v.zw;
        }
      }
      workgroupBarrier();
      // Dawn proves that such indices are inside, and then does not check them.
      for (var turn = 0u; turn < 16u; turn++) {
        let j = begin + turn * 2u;
        if (j >= min(P.others, first + ROWS)) { break; }
        let other_0 = min(j + 0u, P.others - 1u);
let other_1 = min(j + 1u, P.others - 1u);
        let k_0_0 = tile_k[(turn * 2u + 0u) * 4u + 0u + member];
let k_0_1 = tile_k[(turn * 2u + 1u) * 4u + 0u + member];
let v_0_0 = tile_v[(turn * 2u + 0u) * 4u + 0u + member];
let v_0_1 = tile_v[(turn * 2u + 1u) * 4u + 0u + member];
        
        let t_0 = score(meet((q_0 * k_0_0.x + q_1 * k_0_0.y)), plane, row, j + 0u);
let t_1 = score(meet((q_0 * k_0_1.x + q_1 * k_0_1.y)), plane, row, j + 1u);
        let higher = max(top, max(t_0, t_1));
        let keep = exp(top - higher);
        let p_0 = weight(t_0 - higher);
let p_1 = weight(t_1 - higher);
        top = higher;
        total = keep * total + (p_0 + p_1);
        sum_0 = keep * sum_0 + (p_0 * v_0_0.x + p_1 * v_0_1.x);
sum_1 = keep * sum_1 + (p_0 * v_0_0.y + p_1 * v_0_1.y);
      }
    }
    
    let none = total == R();
    let wrong = not_number(total);
    let norm = select(1.0 / total, R(), none);
    let high = select(select(top, total, wrong), R(), none);
    let log_sum = select(select(top + log(total), total, wrong), R(), none);
    sum_0 = select(sum_0 * norm, R(), none); sum_1 = select(sum_1 * norm, R(), none);
    for (var c = 0u; c < P.each; c++) {
      let r = first + c * 16u + place;
      if (r < P.rows && lane % 4u == 0u) {
        let at = own + r * P.token;
        statistics[2u * at] = high;
        statistics[2u * at + 1u] = norm;
        lse[at] = log_sum;
      }
    }
    for (var i = 0u; i < 2u; i++) {
      var sum_ = R();
      switch (i) { case 0u: { sum_ = sum_0; } default: { sum_ = sum_1; } }
      let channel = i / 2u * 8u + lane % 4u * 2u + i % 2u;
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * 16u + place;
        if (r < P.rows && channel < P.depth) { out[own * P.depth + r * P.token_elements + channel] = Scalar(sum_); }
      }
    }
  }
}
