// topK/f32: 4 × 1 × 1 workgroups, WG = 64; input 0, output 0, output 1
alias Scalar = f32;
alias Acc = f32;
struct Params { rows: u32, length: u32, k: u32, flip: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>;
@group(0) @binding(2) var<storage, read_write> values: array<Scalar>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;


fn key_of(v: Scalar) -> u32 {
  let b = bitcast<u32>(f32(v));
  let magnitude = b & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0xffffffffu; }
  return select(0x80000000u + magnitude, 0x80000000u - magnitude, b >> 31u == 1u);
}

const none = 0xffffffffu;
struct Best { key: u32, index: u32 }

var<workgroup> part: array<Best, WG>;
fn meet(b: Best, lane: u32) -> Best {
  part[lane] = b;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      let a = part[lane];
      let c = part[lane + half];
      if (c.key > a.key || (c.key == a.key && c.index < a.index)) { part[lane] = c; }
    }
    workgroupBarrier();
  }
  let result = part[0];
  workgroupBarrier();
  return result;
}

override WG: u32;
// a workgroup a row: each round finds the greatest pair (key, earliest index) behind the last round's
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var row = w.x; row < P.rows; row += groups.x) {
    let base = row * P.length;
    var last = Best(0xffffffffu, none);
    for (var j = 0u; j < P.k; j++) {
      var best = Best(0u, none);
      for (var i = lane; i < P.length; i += WG) {
        let key = key_of(x[base + i]) ^ P.flip;
        let left = last.index == none || key < last.key || (key == last.key && i > last.index);
        if (left && (key > best.key || best.index == none)) { best = Best(key, i); }
      }
      last = meet(best, lane);
      if (lane == 0u) {
        values[row * P.k + j] = x[base + last.index];
        indices[row * P.k + j] = last.index;
      }
    }
  }
}
