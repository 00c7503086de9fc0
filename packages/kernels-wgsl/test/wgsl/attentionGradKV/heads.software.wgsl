// attentionGradKV/dk+dv/f32/16x4/subgroup: 2 × 1 × 1 workgroups, WG = 4; input 0, input 1, input 2, input 3, input 4, input 5, output 0, output 1
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, blocks: u32, rows: u32, others: u32, keys: u32, depth: u32, each: u32, heads: u32, blocks_inverse: f32, heads_inverse: f32, own_head: u32, seen_head: u32, token: u32, token_elements: u32, mask_batch: u32, mask_head: u32, scale: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> q: array<Scalar>;
@group(0) @binding(2) var<storage, read> k: array<Scalar>;
@group(0) @binding(3) var<storage, read> v: array<Scalar>;
@group(0) @binding(4) var<storage, read> dy: array<Scalar>;
@group(0) @binding(5) var<storage, read> statistics: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read_write> dk: array<Scalar>;
@group(0) @binding(8) var<storage, read_write> dv: array<Scalar>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

override WG: u32;
alias R = vec4f;
alias RU = vec4u;
const ROWS = 16u;
fn score(dot: R, plane: u32, row: RU, j: u32) -> R {
  var t = dot * P.scale;
  return t;
}

fn not_number(x: vec4f) -> vec4<bool> { return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }
fn weight(d: vec4f) -> vec4f { return select(select(exp(d), vec4f(), d < vec4f(-104.0)), d, not_number(d)); }

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
    let row = min(RU(first + place) + 4u * RU(0u, 1u, 2u, 3u), RU(P.rows - 1u));
    // The numbers of the head's first vectors, of those that are owned and of those that stream.
    let own = batch * P.heads * P.rows + head * P.own_head;
    let seen = batch * P.heads * P.others + head * P.seen_head;
    var held = array<R, 16>();
    for (var d = 0u; d < P.depth; d++) {
      let channel = d;
      for (var c = 0u; c < P.each; c++) { held[d][c] = Acc(k[own * P.depth + row[c] * P.token_elements + channel]); }
    }
    let k_0 = held[0]; let k_1 = held[1]; let k_2 = held[2]; let k_3 = held[3]; let k_4 = held[4]; let k_5 = held[5]; let k_6 = held[6]; let k_7 = held[7]; let k_8 = held[8]; let k_9 = held[9]; let k_10 = held[10]; let k_11 = held[11]; let k_12 = held[12]; let k_13 = held[13]; let k_14 = held[14]; let k_15 = held[15];
    for (var d = 0u; d < P.depth; d++) {
      let channel = d;
      for (var c = 0u; c < P.each; c++) { held[d][c] = Acc(v[own * P.depth + row[c] * P.token_elements + channel]); }
    }
    let v_0 = held[0]; let v_1 = held[1]; let v_2 = held[2]; let v_3 = held[3]; let v_4 = held[4]; let v_5 = held[5]; let v_6 = held[6]; let v_7 = held[7]; let v_8 = held[8]; let v_9 = held[9]; let v_10 = held[10]; let v_11 = held[11]; let v_12 = held[12]; let v_13 = held[13]; let v_14 = held[14]; let v_15 = held[15];
    var sum_k_0 = R(); var sum_k_1 = R(); var sum_k_2 = R(); var sum_k_3 = R(); var sum_k_4 = R(); var sum_k_5 = R(); var sum_k_6 = R(); var sum_k_7 = R(); var sum_k_8 = R(); var sum_k_9 = R(); var sum_k_10 = R(); var sum_k_11 = R(); var sum_k_12 = R(); var sum_k_13 = R(); var sum_k_14 = R(); var sum_k_15 = R();
var sum_v_0 = R(); var sum_v_1 = R(); var sum_v_2 = R(); var sum_v_3 = R(); var sum_v_4 = R(); var sum_v_5 = R(); var sum_v_6 = R(); var sum_v_7 = R(); var sum_v_8 = R(); var sum_v_9 = R(); var sum_v_10 = R(); var sum_v_11 = R(); var sum_v_12 = R(); var sum_v_13 = R(); var sum_v_14 = R(); var sum_v_15 = R();
    
    for (var j = 0u; j < P.others; j++) {
      let other_0 = min(j + 0u, P.others - 1u);
      let q_0 = select(0.0, Acc(q[(seen + j * P.token) * P.depth + 0u + lane]), 0u + lane < P.depth);
let q_1 = select(0.0, Acc(q[(seen + j * P.token) * P.depth + 4u + lane]), 4u + lane < P.depth);
let q_2 = select(0.0, Acc(q[(seen + j * P.token) * P.depth + 8u + lane]), 8u + lane < P.depth);
let q_3 = select(0.0, Acc(q[(seen + j * P.token) * P.depth + 12u + lane]), 12u + lane < P.depth);
let dy_0 = select(0.0, Acc(dy[(seen + j * P.token) * P.depth + 0u + lane]), 0u + lane < P.depth);
let dy_1 = select(0.0, Acc(dy[(seen + j * P.token) * P.depth + 4u + lane]), 4u + lane < P.depth);
let dy_2 = select(0.0, Acc(dy[(seen + j * P.token) * P.depth + 8u + lane]), 8u + lane < P.depth);
let dy_3 = select(0.0, Acc(dy[(seen + j * P.token) * P.depth + 12u + lane]), 12u + lane < P.depth);
      
        let p_0 = statistics[2u * (seen + other_0 * P.token) + 1u] * weight(score((k_0 * subgroupBroadcast(q_0, 0u) + k_1 * subgroupBroadcast(q_0, 1u) + k_2 * subgroupBroadcast(q_0, 2u) + k_3 * subgroupBroadcast(q_0, 3u) + k_4 * subgroupBroadcast(q_1, 0u) + k_5 * subgroupBroadcast(q_1, 1u) + k_6 * subgroupBroadcast(q_1, 2u) + k_7 * subgroupBroadcast(q_1, 3u))
 + (k_8 * subgroupBroadcast(q_2, 0u) + k_9 * subgroupBroadcast(q_2, 1u) + k_10 * subgroupBroadcast(q_2, 2u) + k_11 * subgroupBroadcast(q_2, 3u) + k_12 * subgroupBroadcast(q_3, 0u) + k_13 * subgroupBroadcast(q_3, 1u) + k_14 * subgroupBroadcast(q_3, 2u) + k_15 * subgroupBroadcast(q_3, 3u)), plane, row, j + 0u) - statistics[2u * (seen + other_0 * P.token) + 0u]);
        sum_v_0 = sum_v_0 + (p_0 * subgroupBroadcast(dy_0, 0u));
sum_v_1 = sum_v_1 + (p_0 * subgroupBroadcast(dy_0, 1u));
sum_v_2 = sum_v_2 + (p_0 * subgroupBroadcast(dy_0, 2u));
sum_v_3 = sum_v_3 + (p_0 * subgroupBroadcast(dy_0, 3u));
sum_v_4 = sum_v_4 + (p_0 * subgroupBroadcast(dy_1, 0u));
sum_v_5 = sum_v_5 + (p_0 * subgroupBroadcast(dy_1, 1u));
sum_v_6 = sum_v_6 + (p_0 * subgroupBroadcast(dy_1, 2u));
sum_v_7 = sum_v_7 + (p_0 * subgroupBroadcast(dy_1, 3u));
sum_v_8 = sum_v_8 + (p_0 * subgroupBroadcast(dy_2, 0u));
sum_v_9 = sum_v_9 + (p_0 * subgroupBroadcast(dy_2, 1u));
sum_v_10 = sum_v_10 + (p_0 * subgroupBroadcast(dy_2, 2u));
sum_v_11 = sum_v_11 + (p_0 * subgroupBroadcast(dy_2, 3u));
sum_v_12 = sum_v_12 + (p_0 * subgroupBroadcast(dy_3, 0u));
sum_v_13 = sum_v_13 + (p_0 * subgroupBroadcast(dy_3, 1u));
sum_v_14 = sum_v_14 + (p_0 * subgroupBroadcast(dy_3, 2u));
sum_v_15 = sum_v_15 + (p_0 * subgroupBroadcast(dy_3, 3u));
        let slope_0 = P.scale * p_0 * ((v_0 * subgroupBroadcast(dy_0, 0u) + v_1 * subgroupBroadcast(dy_0, 1u) + v_2 * subgroupBroadcast(dy_0, 2u) + v_3 * subgroupBroadcast(dy_0, 3u) + v_4 * subgroupBroadcast(dy_1, 0u) + v_5 * subgroupBroadcast(dy_1, 1u) + v_6 * subgroupBroadcast(dy_1, 2u) + v_7 * subgroupBroadcast(dy_1, 3u))
 + (v_8 * subgroupBroadcast(dy_2, 0u) + v_9 * subgroupBroadcast(dy_2, 1u) + v_10 * subgroupBroadcast(dy_2, 2u) + v_11 * subgroupBroadcast(dy_2, 3u) + v_12 * subgroupBroadcast(dy_3, 0u) + v_13 * subgroupBroadcast(dy_3, 1u) + v_14 * subgroupBroadcast(dy_3, 2u) + v_15 * subgroupBroadcast(dy_3, 3u)) - delta[1u * (seen + other_0 * P.token) + 0u]);
        sum_k_0 = sum_k_0 + (slope_0 * subgroupBroadcast(q_0, 0u));
sum_k_1 = sum_k_1 + (slope_0 * subgroupBroadcast(q_0, 1u));
sum_k_2 = sum_k_2 + (slope_0 * subgroupBroadcast(q_0, 2u));
sum_k_3 = sum_k_3 + (slope_0 * subgroupBroadcast(q_0, 3u));
sum_k_4 = sum_k_4 + (slope_0 * subgroupBroadcast(q_1, 0u));
sum_k_5 = sum_k_5 + (slope_0 * subgroupBroadcast(q_1, 1u));
sum_k_6 = sum_k_6 + (slope_0 * subgroupBroadcast(q_1, 2u));
sum_k_7 = sum_k_7 + (slope_0 * subgroupBroadcast(q_1, 3u));
sum_k_8 = sum_k_8 + (slope_0 * subgroupBroadcast(q_2, 0u));
sum_k_9 = sum_k_9 + (slope_0 * subgroupBroadcast(q_2, 1u));
sum_k_10 = sum_k_10 + (slope_0 * subgroupBroadcast(q_2, 2u));
sum_k_11 = sum_k_11 + (slope_0 * subgroupBroadcast(q_2, 3u));
sum_k_12 = sum_k_12 + (slope_0 * subgroupBroadcast(q_3, 0u));
sum_k_13 = sum_k_13 + (slope_0 * subgroupBroadcast(q_3, 1u));
sum_k_14 = sum_k_14 + (slope_0 * subgroupBroadcast(q_3, 2u));
sum_k_15 = sum_k_15 + (slope_0 * subgroupBroadcast(q_3, 3u));
    }
    
    for (var i = 0u; i < P.depth; i++) {
      var sum_k_ = R();
      switch (i) { case 0u: { sum_k_ = sum_k_0; } case 1u: { sum_k_ = sum_k_1; } case 2u: { sum_k_ = sum_k_2; } case 3u: { sum_k_ = sum_k_3; } case 4u: { sum_k_ = sum_k_4; } case 5u: { sum_k_ = sum_k_5; } case 6u: { sum_k_ = sum_k_6; } case 7u: { sum_k_ = sum_k_7; } case 8u: { sum_k_ = sum_k_8; } case 9u: { sum_k_ = sum_k_9; } case 10u: { sum_k_ = sum_k_10; } case 11u: { sum_k_ = sum_k_11; } case 12u: { sum_k_ = sum_k_12; } case 13u: { sum_k_ = sum_k_13; } case 14u: { sum_k_ = sum_k_14; } default: { sum_k_ = sum_k_15; } }
      let channel = i;
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * 4u + place;
        if (r < P.rows) { dk[own * P.depth + r * P.token_elements + channel] = Scalar(sum_k_[c]); }
      }
    }
    for (var i = 0u; i < P.depth; i++) {
      var sum_v_ = R();
      switch (i) { case 0u: { sum_v_ = sum_v_0; } case 1u: { sum_v_ = sum_v_1; } case 2u: { sum_v_ = sum_v_2; } case 3u: { sum_v_ = sum_v_3; } case 4u: { sum_v_ = sum_v_4; } case 5u: { sum_v_ = sum_v_5; } case 6u: { sum_v_ = sum_v_6; } case 7u: { sum_v_ = sum_v_7; } case 8u: { sum_v_ = sum_v_8; } case 9u: { sum_v_ = sum_v_9; } case 10u: { sum_v_ = sum_v_10; } case 11u: { sum_v_ = sum_v_11; } case 12u: { sum_v_ = sum_v_12; } case 13u: { sum_v_ = sum_v_13; } case 14u: { sum_v_ = sum_v_14; } default: { sum_v_ = sum_v_15; } }
      let channel = i;
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * 4u + place;
        if (r < P.rows) { dv[own * P.depth + r * P.token_elements + channel] = Scalar(sum_v_[c]); }
      }
    }
  }
}
