// attention/f32/8x1/tile: 2 × 1 × 1 workgroups, WG = 64; input 0, input 1, input 2, output 0, output 1, output 2
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, blocks: u32, rows: u32, others: u32, keys: u32, depth: u32, each: u32, heads: u32, blocks_inverse: f32, heads_inverse: f32, own_head: u32, seen_head: u32, token: u32, token_elements: u32, mask_batch: u32, mask_head: u32, scale: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> q: array<Scalar>;
@group(0) @binding(2) var<storage, read> k: array<vec4<Scalar>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<Scalar>>;
@group(0) @binding(4) var<storage, read_write> out: array<Scalar>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;
@group(0) @binding(6) var<storage, read_write> statistics: array<f32>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

override WG: u32;
alias R = f32;
alias RU = u32;
const ROWS = 64u;
fn score(dot: R, plane: u32, row: RU, j: u32) -> R {
  var t = dot * P.scale;
  return t;
}

fn not_number(x: f32) -> bool { return (bitcast<u32>(x) & u32(0x7fffffffu)) > u32(0x7f800000u); }
fn weight(d: f32) -> f32 { return select(select(exp(d), f32(), d < f32(-104.0)), d, not_number(d)); }

fn fetch_k(seen: u32, j: u32, d: u32) -> vec4f {
  let ok = j < P.others && d < P.depth;
  return select(vec4f(), vec4f(k[select(0u, (seen + j * P.token) * P.depth + d, ok) / 4u]), ok);
}
var<workgroup> tile_k: array<vec4f, 64>;
fn fetch_v(seen: u32, j: u32, d: u32) -> vec4f {
  let ok = j < P.others && d < P.depth;
  return select(vec4f(), vec4f(v[select(0u, (seen + j * P.token) * P.depth + d, ok) / 4u]), ok);
}
var<workgroup> tile_v: array<vec4f, 64>;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var turn = w.x; turn < P.items; turn += groups.x) {
    let item = turn;
    let unit = quotient(item, P.blocks, P.blocks_inverse);
    let first = (item - unit * P.blocks) * ROWS;
    let batch = quotient(unit, P.heads, P.heads_inverse);
    let head = unit - batch * P.heads;
    let plane = batch * P.mask_batch + head * P.mask_head;
    let place = lane;
    let row = min(RU(first + place), RU(P.rows - 1u));
    // The numbers of the head's first vectors, of those that are owned and of those that stream.
    let own = batch * P.heads * P.rows + head * P.own_head;
    let seen = batch * P.heads * P.others + head * P.seen_head;
    var held = array<R, 8>();
    for (var d = 0u; d < P.depth; d++) {
      let channel = d;
      for (var c = 0u; c < P.each; c++) { held[d] = Acc(q[own * P.depth + row * P.token_elements + channel]); }
    }
    let q_0 = held[0]; let q_1 = held[1]; let q_2 = held[2]; let q_3 = held[3]; let q_4 = held[4]; let q_5 = held[5]; let q_6 = held[6]; let q_7 = held[7];
    var sum_0 = R(); var sum_1 = R(); var sum_2 = R(); var sum_3 = R(); var sum_4 = R(); var sum_5 = R(); var sum_6 = R(); var sum_7 = R();
    
    var top = R(-0x1.fffffep+127);
    var total = R();
    let member = 0u;
    for (var begin = 0u; begin < P.others; begin += 32u) {
      workgroupBarrier();
      for (var l = lane; l < 64u; l += WG) {
        let j = begin + l / 2u;
        let d = l % 2u * 4u;
        {
          let v = fetch_k(seen, j, d);
          tile_k[l] = v;
        }
{
          let v = fetch_v(seen, j, d);
          tile_v[l] = v;
        }
      }
      workgroupBarrier();
      // Dawn proves that such indices are inside, and then does not check them.
      for (var turn = 0u; turn < 32u; turn++) {
        let j = begin + turn * 1u;
        if (j >= P.others) { break; }
        let other_0 = min(j + 0u, P.others - 1u);
        let k_0_0 = tile_k[(turn * 1u + 0u) * 2u + 0u + member];
let k_1_0 = tile_k[(turn * 1u + 0u) * 2u + 1u + member];
let v_0_0 = tile_v[(turn * 1u + 0u) * 2u + 0u + member];
let v_1_0 = tile_v[(turn * 1u + 0u) * 2u + 1u + member];
        
        let t_0 = score((q_0 * k_0_0.x + q_1 * k_0_0.y + q_2 * k_0_0.z + q_3 * k_0_0.w + q_4 * k_1_0.x + q_5 * k_1_0.y + q_6 * k_1_0.z + q_7 * k_1_0.w), plane, row, j + 0u);
        let higher = max(top, t_0);
        let keep = exp(top - higher);
        let p_0 = weight(t_0 - higher);
        top = higher;
        total = keep * total + (p_0);
        sum_0 = keep * sum_0 + (p_0 * v_0_0.x);
sum_1 = keep * sum_1 + (p_0 * v_0_0.y);
sum_2 = keep * sum_2 + (p_0 * v_0_0.z);
sum_3 = keep * sum_3 + (p_0 * v_0_0.w);
sum_4 = keep * sum_4 + (p_0 * v_1_0.x);
sum_5 = keep * sum_5 + (p_0 * v_1_0.y);
sum_6 = keep * sum_6 + (p_0 * v_1_0.z);
sum_7 = keep * sum_7 + (p_0 * v_1_0.w);
      }
    }
    
    let none = total == R();
    let wrong = not_number(total);
    let norm = select(1.0 / total, R(), none);
    let high = select(select(top, total, wrong), R(), none);
    let log_sum = select(select(top + log(total), total, wrong), R(), none);
    sum_0 = select(sum_0 * norm, R(), none); sum_1 = select(sum_1 * norm, R(), none); sum_2 = select(sum_2 * norm, R(), none); sum_3 = select(sum_3 * norm, R(), none); sum_4 = select(sum_4 * norm, R(), none); sum_5 = select(sum_5 * norm, R(), none); sum_6 = select(sum_6 * norm, R(), none); sum_7 = select(sum_7 * norm, R(), none);
    for (var c = 0u; c < P.each; c++) {
      let r = first + c * 64u + place;
      if (r < P.rows) {
        let at = own + r * P.token;
        statistics[2u * at] = high;
        statistics[2u * at + 1u] = norm;
        lse[at] = log_sum;
      }
    }
    for (var i = 0u; i < P.depth; i++) {
      var sum_ = R();
      switch (i) { case 0u: { sum_ = sum_0; } case 1u: { sum_ = sum_1; } case 2u: { sum_ = sum_2; } case 3u: { sum_ = sum_3; } case 4u: { sum_ = sum_4; } case 5u: { sum_ = sum_5; } case 6u: { sum_ = sum_6; } default: { sum_ = sum_7; } }
      let channel = i;
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * 64u + place;
        if (r < P.rows) { out[own * P.depth + r * P.token_elements + channel] = Scalar(sum_); }
      }
    }
  }
}
