// attention/f32/16x4/subgroup: 2 × 1 × 1 workgroups, WG = 4; input 0, input 1, input 2, output 0, output 1, output 2
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, blocks: u32, rows: u32, others: u32, keys: u32, depth: u32, each: u32, heads: u32, blocks_inverse: f32, heads_inverse: f32, own_head: u32, seen_head: u32, token: u32, token_elements: u32, mask_batch: u32, mask_head: u32, scale: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> q: array<Scalar>;
@group(0) @binding(2) var<storage, read> k: array<Scalar>;
@group(0) @binding(3) var<storage, read> v: array<Scalar>;
@group(0) @binding(4) var<storage, read_write> out: array<Scalar>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;
@group(0) @binding(6) var<storage, read_write> statistics: array<f32>;

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
    var sum_0 = R(); var sum_1 = R(); var sum_2 = R(); var sum_3 = R(); var sum_4 = R(); var sum_5 = R(); var sum_6 = R(); var sum_7 = R(); var sum_8 = R(); var sum_9 = R(); var sum_10 = R(); var sum_11 = R(); var sum_12 = R(); var sum_13 = R(); var sum_14 = R(); var sum_15 = R();
    
    var top = R(-0x1.fffffep+127);
    var total = R();
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
      
        let t_0 = score((q_0 * subgroupBroadcast(k_0, 0u) + q_1 * subgroupBroadcast(k_0, 1u) + q_2 * subgroupBroadcast(k_0, 2u) + q_3 * subgroupBroadcast(k_0, 3u) + q_4 * subgroupBroadcast(k_1, 0u) + q_5 * subgroupBroadcast(k_1, 1u) + q_6 * subgroupBroadcast(k_1, 2u) + q_7 * subgroupBroadcast(k_1, 3u))
 + (q_8 * subgroupBroadcast(k_2, 0u) + q_9 * subgroupBroadcast(k_2, 1u) + q_10 * subgroupBroadcast(k_2, 2u) + q_11 * subgroupBroadcast(k_2, 3u) + q_12 * subgroupBroadcast(k_3, 0u) + q_13 * subgroupBroadcast(k_3, 1u) + q_14 * subgroupBroadcast(k_3, 2u) + q_15 * subgroupBroadcast(k_3, 3u)), plane, row, j + 0u);
        let higher = max(top, t_0);
        let keep = exp(top - higher);
        let p_0 = weight(t_0 - higher);
        top = higher;
        total = keep * total + (p_0);
        sum_0 = keep * sum_0 + (p_0 * subgroupBroadcast(v_0, 0u));
sum_1 = keep * sum_1 + (p_0 * subgroupBroadcast(v_0, 1u));
sum_2 = keep * sum_2 + (p_0 * subgroupBroadcast(v_0, 2u));
sum_3 = keep * sum_3 + (p_0 * subgroupBroadcast(v_0, 3u));
sum_4 = keep * sum_4 + (p_0 * subgroupBroadcast(v_1, 0u));
sum_5 = keep * sum_5 + (p_0 * subgroupBroadcast(v_1, 1u));
sum_6 = keep * sum_6 + (p_0 * subgroupBroadcast(v_1, 2u));
sum_7 = keep * sum_7 + (p_0 * subgroupBroadcast(v_1, 3u));
sum_8 = keep * sum_8 + (p_0 * subgroupBroadcast(v_2, 0u));
sum_9 = keep * sum_9 + (p_0 * subgroupBroadcast(v_2, 1u));
sum_10 = keep * sum_10 + (p_0 * subgroupBroadcast(v_2, 2u));
sum_11 = keep * sum_11 + (p_0 * subgroupBroadcast(v_2, 3u));
sum_12 = keep * sum_12 + (p_0 * subgroupBroadcast(v_3, 0u));
sum_13 = keep * sum_13 + (p_0 * subgroupBroadcast(v_3, 1u));
sum_14 = keep * sum_14 + (p_0 * subgroupBroadcast(v_3, 2u));
sum_15 = keep * sum_15 + (p_0 * subgroupBroadcast(v_3, 3u));
    }
    
    let none = total == R();
    let wrong = not_number(total);
    let norm = select(1.0 / total, R(), none);
    let high = select(select(top, total, wrong), R(), none);
    let log_sum = select(select(top + log(total), total, wrong), R(), none);
    sum_0 = select(sum_0 * norm, R(), none); sum_1 = select(sum_1 * norm, R(), none); sum_2 = select(sum_2 * norm, R(), none); sum_3 = select(sum_3 * norm, R(), none); sum_4 = select(sum_4 * norm, R(), none); sum_5 = select(sum_5 * norm, R(), none); sum_6 = select(sum_6 * norm, R(), none); sum_7 = select(sum_7 * norm, R(), none); sum_8 = select(sum_8 * norm, R(), none); sum_9 = select(sum_9 * norm, R(), none); sum_10 = select(sum_10 * norm, R(), none); sum_11 = select(sum_11 * norm, R(), none); sum_12 = select(sum_12 * norm, R(), none); sum_13 = select(sum_13 * norm, R(), none); sum_14 = select(sum_14 * norm, R(), none); sum_15 = select(sum_15 * norm, R(), none);
    for (var c = 0u; c < P.each; c++) {
      let r = first + c * 4u + place;
      if (r < P.rows) {
        let at = own + r * P.token;
        statistics[2u * at] = high[c];
        statistics[2u * at + 1u] = norm[c];
        lse[at] = log_sum[c];
      }
    }
    for (var i = 0u; i < P.depth; i++) {
      var sum_ = R();
      switch (i) { case 0u: { sum_ = sum_0; } case 1u: { sum_ = sum_1; } case 2u: { sum_ = sum_2; } case 3u: { sum_ = sum_3; } case 4u: { sum_ = sum_4; } case 5u: { sum_ = sum_5; } case 6u: { sum_ = sum_6; } case 7u: { sum_ = sum_7; } case 8u: { sum_ = sum_8; } case 9u: { sum_ = sum_9; } case 10u: { sum_ = sum_10; } case 11u: { sum_ = sum_11; } case 12u: { sum_ = sum_12; } case 13u: { sum_ = sum_13; } case 14u: { sum_ = sum_14; } default: { sum_ = sum_15; } }
      let channel = i;
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * 4u + place;
        if (r < P.rows) { out[own * P.depth + r * P.token_elements + channel] = Scalar(sum_[c]); }
      }
    }
  }
}
