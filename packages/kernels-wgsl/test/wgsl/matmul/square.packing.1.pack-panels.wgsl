// matmul/f32/pack-panels: 16 × 1 × 1 workgroups, WG = 4; input 0, texture 0
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, panels: u32, width: u32, rows: u32, outer: u32, inner: u32, length: u32, of_outer: f32, of_panels: f32, of_radix: f32, of_heads: f32, heads: u32, head_step: u32, offset: u32, batch_step: u32, row_step: u32, radix: u32, turn1: u32, turn0: u32, step: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read> x: array<Scalar>;
@group(0) @binding(2) var texels: texture_storage_2d<rgba32float, write>;
fn at(i: u32) -> vec2u { return vec2u(i % 1024u, i / 1024u); }

fn quotient(i: u32, d: u32, inverse: f32) -> u32 {
  let q = u32(f32(i) * inverse);
  let r = i32(i - q * d);
  return q + select(0u, 1u, r >= i32(d)) - select(0u, 1u, r < 0i);
}

override WG: u32;
fn over(i: u32, d: u32, inverse: f32) -> u32 { return quotient(i, d, inverse); }
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) lane: u32) {
  
  for (var item = w.x; item < P.items; item += nw.x) {
    let panel = over(item, P.outer, P.of_outer);
    let k1 = item - panel * P.outer;
    let z = over(panel, P.panels, P.of_panels);
    let turn = over(k1, P.radix, P.of_radix);
    let first = over(z, P.heads, P.of_heads);
    let start = P.offset + first * P.batch_step + (z - first * P.heads) * P.head_step + turn * P.turn1 + (k1 - turn * P.radix) * P.turn0;
    for (var r = lane; r < P.width; r += WG) {
      let row = (panel - z * P.panels) * P.width + r;
      let length = select(0u, P.length, row < P.rows);
      var e = start + min(row, P.rows - 1u) * P.row_step;
      var t = item * P.inner * P.width + r;
      for (var k = 0u; k < 4u * P.inner; k += 4u) {
        let v = vec4f(Acc(x[e]), Acc(x[e + P.step]), Acc(x[e + 2u * P.step]), Acc(x[e + 3u * P.step]));
        textureStore(texels, at(t), select(vec4f(), v, k + vec4u(0u, 1u, 2u, 3u) < vec4u(length)));
        e += 4u * P.step;
        t += P.width;
      }
    }
  }
}
