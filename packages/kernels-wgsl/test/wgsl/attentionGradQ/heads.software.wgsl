// attentionGradQ/f32/16x4/subgroup: 2 × 1 × 1 workgroups, WG = 4; input 0, input 1, input 2, input 3, input 4, input 5, output 0
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
@group(0) @binding(7) var<storage, read_write> dq: array<Scalar>;

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
      for (var c = 0u; c < P.each; c++) { held[d][c] = Acc(q[own * P.depth + row[c] * P.token_elements + channel]); }
    }
    let q_0 = held[0]; let q_1 = held[1]; let q_2 = held[2]; let q_3 = held[3]; let q_4 = held[4]; let q_5 = held[5]; let q_6 = held[6]; let q_7 = held[7]; let q_8 = held[8]; let q_9 = held[9]; let q_10 = held[10]; let q_11 = held[11]; let q_12 = held[12]; let q_13 = held[13]; let q_14 = held[14]; let q_15 = held[15];
    for (var d = 0u; d < P.depth; d++) {
      let channel = d;
      for (var c = 0u; c < P.each; c++) { held[d][c] = Acc(dy[own * P.depth + row[c] * P.token_elements + channel]); }
    }
    let dy_0 = held[0]; let dy_1 = held[1]; let dy_2 = held[2]; let dy_3 = held[3]; let dy_4 = held[4]; let dy_5 = held[5]; let dy_6 = held[6]; let dy_7 = held[7]; let dy_8 = held[8]; let dy_9 = held[9]; let dy_10 = held[10]; let dy_11 = held[11]; let dy_12 = held[12]; let dy_13 = held[13]; let dy_14 = held[14]; let dy_15 = held[15];
    var sum_0 = R(); var sum_1 = R(); var sum_2 = R(); var sum_3 = R(); var sum_4 = R(); var sum_5 = R(); var sum_6 = R(); var sum_7 = R(); var sum_8 = R(); var sum_9 = R(); var sum_10 = R(); var sum_11 = R(); var sum_12 = R(); var sum_13 = R(); var sum_14 = R(); var sum_15 = R();
    var top = R();
    for (var c = 0u; c < P.each; c++) { top[c] = statistics[2u * (own + row[c] * P.token) + 0u]; }
    var norm = R();
    for (var c = 0u; c < P.each; c++) { norm[c] = statistics[2u * (own + row[c] * P.token) + 1u]; }
    var level = R();
    for (var c = 0u; c < P.each; c++) { level[c] = delta[1u * (own + row[c] * P.token) + 0u]; }
    for (var j = 0u; j < P.others; j++) {
      let other_0 = min(j + 0u, P.others - 1u);
      let k_0 = select(0.0, Acc(k[(seen + j * P.token) * P.depth + 0u + lane]), 0u + lane < P.depth);
let k_1 = select(0.0, Acc(k[(seen + j * P.token) * P.depth + 4u + lane]), 4u + lane < P.depth);
let k_2 = select(0.0, Acc(k[(seen + j * P.token) * P.depth + 8u + lane]), 8u + lane < P.depth);
let k_3 = select(0.0, Acc(k[(seen + j * P.token) * P.depth + 12u + lane]), 12u + lane < P.depth);
let v_0 = select(0.0, Acc(v[(seen + j * P.token) * P.depth + 0u + lane]), 0u + lane < P.depth);
let v_1 = select(0.0, Acc(v[(seen + j * P.token) * P.depth + 4u + lane]), 4u + lane < P.depth);
let v_2 = select(0.0, Acc(v[(seen + j * P.token) * P.depth + 8u + lane]), 8u + lane < P.depth);
let v_3 = select(0.0, Acc(v[(seen + j * P.token) * P.depth + 12u + lane]), 12u + lane < P.depth);
      
        let p_0 = norm * weight(score((q_0 * subgroupBroadcast(k_0, 0u) + q_1 * subgroupBroadcast(k_0, 1u) + q_2 * subgroupBroadcast(k_0, 2u) + q_3 * subgroupBroadcast(k_0, 3u) + q_4 * subgroupBroadcast(k_1, 0u) + q_5 * subgroupBroadcast(k_1, 1u) + q_6 * subgroupBroadcast(k_1, 2u) + q_7 * subgroupBroadcast(k_1, 3u))
 + (q_8 * subgroupBroadcast(k_2, 0u) + q_9 * subgroupBroadcast(k_2, 1u) + q_10 * subgroupBroadcast(k_2, 2u) + q_11 * subgroupBroadcast(k_2, 3u) + q_12 * subgroupBroadcast(k_3, 0u) + q_13 * subgroupBroadcast(k_3, 1u) + q_14 * subgroupBroadcast(k_3, 2u) + q_15 * subgroupBroadcast(k_3, 3u)), plane, row, j + 0u) - top);
        let slope_0 = P.scale * p_0 * ((dy_0 * subgroupBroadcast(v_0, 0u) + dy_1 * subgroupBroadcast(v_0, 1u) + dy_2 * subgroupBroadcast(v_0, 2u) + dy_3 * subgroupBroadcast(v_0, 3u) + dy_4 * subgroupBroadcast(v_1, 0u) + dy_5 * subgroupBroadcast(v_1, 1u) + dy_6 * subgroupBroadcast(v_1, 2u) + dy_7 * subgroupBroadcast(v_1, 3u))
 + (dy_8 * subgroupBroadcast(v_2, 0u) + dy_9 * subgroupBroadcast(v_2, 1u) + dy_10 * subgroupBroadcast(v_2, 2u) + dy_11 * subgroupBroadcast(v_2, 3u) + dy_12 * subgroupBroadcast(v_3, 0u) + dy_13 * subgroupBroadcast(v_3, 1u) + dy_14 * subgroupBroadcast(v_3, 2u) + dy_15 * subgroupBroadcast(v_3, 3u)) - level);
        sum_0 = sum_0 + (slope_0 * subgroupBroadcast(k_0, 0u));
sum_1 = sum_1 + (slope_0 * subgroupBroadcast(k_0, 1u));
sum_2 = sum_2 + (slope_0 * subgroupBroadcast(k_0, 2u));
sum_3 = sum_3 + (slope_0 * subgroupBroadcast(k_0, 3u));
sum_4 = sum_4 + (slope_0 * subgroupBroadcast(k_1, 0u));
sum_5 = sum_5 + (slope_0 * subgroupBroadcast(k_1, 1u));
sum_6 = sum_6 + (slope_0 * subgroupBroadcast(k_1, 2u));
sum_7 = sum_7 + (slope_0 * subgroupBroadcast(k_1, 3u));
sum_8 = sum_8 + (slope_0 * subgroupBroadcast(k_2, 0u));
sum_9 = sum_9 + (slope_0 * subgroupBroadcast(k_2, 1u));
sum_10 = sum_10 + (slope_0 * subgroupBroadcast(k_2, 2u));
sum_11 = sum_11 + (slope_0 * subgroupBroadcast(k_2, 3u));
sum_12 = sum_12 + (slope_0 * subgroupBroadcast(k_3, 0u));
sum_13 = sum_13 + (slope_0 * subgroupBroadcast(k_3, 1u));
sum_14 = sum_14 + (slope_0 * subgroupBroadcast(k_3, 2u));
sum_15 = sum_15 + (slope_0 * subgroupBroadcast(k_3, 3u));
    }
    
    for (var i = 0u; i < P.depth; i++) {
      var sum_ = R();
      switch (i) { case 0u: { sum_ = sum_0; } case 1u: { sum_ = sum_1; } case 2u: { sum_ = sum_2; } case 3u: { sum_ = sum_3; } case 4u: { sum_ = sum_4; } case 5u: { sum_ = sum_5; } case 6u: { sum_ = sum_6; } case 7u: { sum_ = sum_7; } case 8u: { sum_ = sum_8; } case 9u: { sum_ = sum_9; } case 10u: { sum_ = sum_10; } case 11u: { sum_ = sum_11; } case 12u: { sum_ = sum_12; } case 13u: { sum_ = sum_13; } case 14u: { sum_ = sum_14; } default: { sum_ = sum_15; } }
      let channel = i;
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * 4u + place;
        if (r < P.rows) { dq[own * P.depth + r * P.token_elements + channel] = Scalar(sum_[c]); }
      }
    }
  }
}
