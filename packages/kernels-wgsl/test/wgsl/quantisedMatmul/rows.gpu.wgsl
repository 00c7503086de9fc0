// quantisedMatmul/f32/subgroup: 4 × 1 × 1 workgroups, WG = 32; input 0, input 1, input 2, output 0
enable subgroups;
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, m: u32, rows: u32, units: u32, rows_inverse: f32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<Scalar>>;
@group(0) @binding(2) var<storage, read> words: array<u32>;
@group(0) @binding(3) var<storage, read> scale: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}
fn epilogue(v: f32, i: u32) -> f32 { return v; }

fn unpack(word: u32) -> vec4f {
  let w = bitcast<i32>(word);
  return vec4f(vec4i(extractBits(w, 0u, 8u), extractBits(w, 8u, 8u), extractBits(w, 16u, 8u), extractBits(w, 24u, 8u)));
}

override WG: u32;

fn all_sum(v: f32, lane: u32) -> f32 { return subgroupAdd(v); }
fn all_max(v: f32, lane: u32) -> f32 { return subgroupMax(v); }
fn first(v: f32, lane: u32) -> f32 { return subgroupBroadcastFirst(v); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var item = w.x; item < P.items; item += groups.x) {
    let block = quotient(item, P.rows, P.rows_inverse);
    let row = item - block * P.rows;
    // Beyond the last row the last is multiplied again, and not stored.
    let at = min(vec4u(4u * block) + vec4u(0u, 1u, 2u, 3u), vec4u(P.m - 1u)) * P.units;
    let by = scale[row];
    var sums = vec4f();
    for (var u = lane; u < P.units; u += WG) {
      // Scaled first, a sum stays in range where the product does.
      let weight = by * unpack(words[row * P.units + u]);
      sums += vec4f(dot(weight, vec4f(x[at[0] + u])), dot(weight, vec4f(x[at[1] + u])), dot(weight, vec4f(x[at[2] + u])), dot(weight, vec4f(x[at[3] + u])));
    }
    let y = vec4f(all_sum(sums[0], lane), all_sum(sums[1], lane), all_sum(sums[2], lane), all_sum(sums[3], lane));
    for (var k = lane; k < 4u; k += WG) {
      let i = (4u * block + k) * P.rows + row;
      if (4u * block + k < P.m) { out[i] = f32(epilogue(y[k], i)); }
    }
  }
}
