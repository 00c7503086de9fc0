// attention/f32/8x4/textures: 64 × 1 × 1 workgroups, WG = 4; input 0, texture 0, texture 1, output 0, output 1, output 2
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, blocks: u32, rows: u32, others: u32, keys: u32, depth: u32, each: u32, heads: u32, blocks_inverse: f32, heads_inverse: f32, own_head: u32, seen_head: u32, token: u32, token_elements: u32, mask_batch: u32, mask_head: u32, scale: f32, panels: u32, texels: u32, off: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> q: array<Scalar>;
@group(0) @binding(2) var k: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var v: texture_storage_2d<rgba32float, read>;
@group(0) @binding(4) var<storage, read_write> out: array<Scalar>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;
@group(0) @binding(6) var<storage, read_write> statistics: array<f32>;
fn at(i: u32) -> vec2u { return vec2u(i % 1024u, i / 1024u); }

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
  return select(R(bitcast<f32>(P.off)), t, vec4<bool>(j < P.others));
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
    var held = array<R, 8>();
    for (var d = 0u; d < P.depth; d++) {
      let channel = d;
      for (var c = 0u; c < P.each; c++) { held[d][c] = Acc(q[own * P.depth + row[c] * P.token_elements + channel]); }
    }
    let q_0 = held[0]; let q_1 = held[1]; let q_2 = held[2]; let q_3 = held[3]; let q_4 = held[4]; let q_5 = held[5]; let q_6 = held[6]; let q_7 = held[7];
    var sum_0 = R(); var sum_1 = R(); var sum_2 = R(); var sum_3 = R(); var sum_4 = R(); var sum_5 = R(); var sum_6 = R(); var sum_7 = R();
    
    var top = R(-0x1.fffffep+127);
    var total = R();
    for (var j = 0u; j < P.others; j += 4u) {
      let other_0 = min(j + 0u, P.others - 1u);
let other_1 = min(j + 1u, P.others - 1u);
let other_2 = min(j + 2u, P.others - 1u);
let other_3 = min(j + 3u, P.others - 1u);
      let k_0_0 = textureLoad(k, at(((unit * P.panels + (j + 0u) / WG) * P.texels + min(0u + lane, P.texels - 1u)) * WG + (j + 0u) % WG));
let k_0_1 = textureLoad(k, at(((unit * P.panels + (j + 1u) / WG) * P.texels + min(0u + lane, P.texels - 1u)) * WG + (j + 1u) % WG));
let k_0_2 = textureLoad(k, at(((unit * P.panels + (j + 2u) / WG) * P.texels + min(0u + lane, P.texels - 1u)) * WG + (j + 2u) % WG));
let k_0_3 = textureLoad(k, at(((unit * P.panels + (j + 3u) / WG) * P.texels + min(0u + lane, P.texels - 1u)) * WG + (j + 3u) % WG));
let v_0_0 = textureLoad(v, at(((unit * P.panels + (j + 0u) / WG) * P.texels + min(0u + lane, P.texels - 1u)) * WG + (j + 0u) % WG));
let v_0_1 = textureLoad(v, at(((unit * P.panels + (j + 1u) / WG) * P.texels + min(0u + lane, P.texels - 1u)) * WG + (j + 1u) % WG));
let v_0_2 = textureLoad(v, at(((unit * P.panels + (j + 2u) / WG) * P.texels + min(0u + lane, P.texels - 1u)) * WG + (j + 2u) % WG));
let v_0_3 = textureLoad(v, at(((unit * P.panels + (j + 3u) / WG) * P.texels + min(0u + lane, P.texels - 1u)) * WG + (j + 3u) % WG));
      
        let t_0 = score((q_0 * subgroupBroadcast(k_0_0.x, 0u) + q_1 * subgroupBroadcast(k_0_0.y, 0u) + q_2 * subgroupBroadcast(k_0_0.z, 0u) + q_3 * subgroupBroadcast(k_0_0.w, 0u) + q_4 * subgroupBroadcast(k_0_0.x, 1u) + q_5 * subgroupBroadcast(k_0_0.y, 1u) + q_6 * subgroupBroadcast(k_0_0.z, 1u) + q_7 * subgroupBroadcast(k_0_0.w, 1u)), plane, row, j + 0u);
let t_1 = score((q_0 * subgroupBroadcast(k_0_1.x, 0u) + q_1 * subgroupBroadcast(k_0_1.y, 0u) + q_2 * subgroupBroadcast(k_0_1.z, 0u) + q_3 * subgroupBroadcast(k_0_1.w, 0u) + q_4 * subgroupBroadcast(k_0_1.x, 1u) + q_5 * subgroupBroadcast(k_0_1.y, 1u) + q_6 * subgroupBroadcast(k_0_1.z, 1u) + q_7 * subgroupBroadcast(k_0_1.w, 1u)), plane, row, j + 1u);
let t_2 = score((q_0 * subgroupBroadcast(k_0_2.x, 0u) + q_1 * subgroupBroadcast(k_0_2.y, 0u) + q_2 * subgroupBroadcast(k_0_2.z, 0u) + q_3 * subgroupBroadcast(k_0_2.w, 0u) + q_4 * subgroupBroadcast(k_0_2.x, 1u) + q_5 * subgroupBroadcast(k_0_2.y, 1u) + q_6 * subgroupBroadcast(k_0_2.z, 1u) + q_7 * subgroupBroadcast(k_0_2.w, 1u)), plane, row, j + 2u);
let t_3 = score((q_0 * subgroupBroadcast(k_0_3.x, 0u) + q_1 * subgroupBroadcast(k_0_3.y, 0u) + q_2 * subgroupBroadcast(k_0_3.z, 0u) + q_3 * subgroupBroadcast(k_0_3.w, 0u) + q_4 * subgroupBroadcast(k_0_3.x, 1u) + q_5 * subgroupBroadcast(k_0_3.y, 1u) + q_6 * subgroupBroadcast(k_0_3.z, 1u) + q_7 * subgroupBroadcast(k_0_3.w, 1u)), plane, row, j + 3u);
        let higher = max(top, max(max(max(t_0, t_1), t_2), t_3));
        let keep = exp(top - higher);
        let p_0 = weight(t_0 - higher);
let p_1 = weight(t_1 - higher);
let p_2 = weight(t_2 - higher);
let p_3 = weight(t_3 - higher);
        top = higher;
        total = keep * total + (p_0 + p_1 + p_2 + p_3);
        sum_0 = keep * sum_0 + (p_0 * subgroupBroadcast(v_0_0.x, 0u) + p_1 * subgroupBroadcast(v_0_1.x, 0u) + p_2 * subgroupBroadcast(v_0_2.x, 0u) + p_3 * subgroupBroadcast(v_0_3.x, 0u));
sum_1 = keep * sum_1 + (p_0 * subgroupBroadcast(v_0_0.y, 0u) + p_1 * subgroupBroadcast(v_0_1.y, 0u) + p_2 * subgroupBroadcast(v_0_2.y, 0u) + p_3 * subgroupBroadcast(v_0_3.y, 0u));
sum_2 = keep * sum_2 + (p_0 * subgroupBroadcast(v_0_0.z, 0u) + p_1 * subgroupBroadcast(v_0_1.z, 0u) + p_2 * subgroupBroadcast(v_0_2.z, 0u) + p_3 * subgroupBroadcast(v_0_3.z, 0u));
sum_3 = keep * sum_3 + (p_0 * subgroupBroadcast(v_0_0.w, 0u) + p_1 * subgroupBroadcast(v_0_1.w, 0u) + p_2 * subgroupBroadcast(v_0_2.w, 0u) + p_3 * subgroupBroadcast(v_0_3.w, 0u));
sum_4 = keep * sum_4 + (p_0 * subgroupBroadcast(v_0_0.x, 1u) + p_1 * subgroupBroadcast(v_0_1.x, 1u) + p_2 * subgroupBroadcast(v_0_2.x, 1u) + p_3 * subgroupBroadcast(v_0_3.x, 1u));
sum_5 = keep * sum_5 + (p_0 * subgroupBroadcast(v_0_0.y, 1u) + p_1 * subgroupBroadcast(v_0_1.y, 1u) + p_2 * subgroupBroadcast(v_0_2.y, 1u) + p_3 * subgroupBroadcast(v_0_3.y, 1u));
sum_6 = keep * sum_6 + (p_0 * subgroupBroadcast(v_0_0.z, 1u) + p_1 * subgroupBroadcast(v_0_1.z, 1u) + p_2 * subgroupBroadcast(v_0_2.z, 1u) + p_3 * subgroupBroadcast(v_0_3.z, 1u));
sum_7 = keep * sum_7 + (p_0 * subgroupBroadcast(v_0_0.w, 1u) + p_1 * subgroupBroadcast(v_0_1.w, 1u) + p_2 * subgroupBroadcast(v_0_2.w, 1u) + p_3 * subgroupBroadcast(v_0_3.w, 1u));
    }
    
    let none = total == R();
    let wrong = not_number(total);
    let norm = select(1.0 / total, R(), none);
    let high = select(select(top, total, wrong), R(), none);
    let log_sum = select(select(top + log(total), total, wrong), R(), none);
    sum_0 = select(sum_0 * norm, R(), none); sum_1 = select(sum_1 * norm, R(), none); sum_2 = select(sum_2 * norm, R(), none); sum_3 = select(sum_3 * norm, R(), none); sum_4 = select(sum_4 * norm, R(), none); sum_5 = select(sum_5 * norm, R(), none); sum_6 = select(sum_6 * norm, R(), none); sum_7 = select(sum_7 * norm, R(), none);
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
      switch (i) { case 0u: { sum_ = sum_0; } case 1u: { sum_ = sum_1; } case 2u: { sum_ = sum_2; } case 3u: { sum_ = sum_3; } case 4u: { sum_ = sum_4; } case 5u: { sum_ = sum_5; } case 6u: { sum_ = sum_6; } default: { sum_ = sum_7; } }
      let channel = i;
      for (var c = 0u; c < P.each; c++) {
        let r = first + c * 4u + place;
        if (r < P.rows) { out[own * P.depth + r * P.token_elements + channel] = Scalar(sum_[c]); }
      }
    }
  }
}
