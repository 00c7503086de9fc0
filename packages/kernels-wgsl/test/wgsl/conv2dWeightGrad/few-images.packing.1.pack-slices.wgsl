// conv2dWeightGrad/f32/pack-slices: 2 × 1 × 1 workgroups, WG = 4; input 0, texture 0
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, panels: u32, width: u32, rows: u32, fours: u32, strip_bits: u32, strip_mask: u32, images: u32, pixels: u32, of_fours: f32, of_panels: f32, plane: u32, group_step: u32, image_step: u32 }
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
    let panel = over(item, P.fours, P.of_fours);
    let group = over(panel, P.panels, P.of_panels);
    let slice = (item - panel * P.fours) * 4u + vec4u(0u, 1u, 2u, 3u);
    let image = slice >> vec4u(P.strip_bits);
    // The last strip of an image may be shorter, and images beyond the last have no pixel.
    let begun = (slice & vec4u(P.strip_mask)) * P.pixels;
    let count = select(vec4u(), P.plane - min(begun, vec4u(P.plane)), image < vec4u(P.images));
    let base = group * P.group_step + image * P.image_step + begun;
    for (var r = lane; r < P.width; r += WG) {
      var e = base + min((panel - group * P.panels) * P.width + r, P.rows - 1u) * P.plane;
      var t = item * P.pixels * P.width + r;
      for (var i = 0u; i < P.pixels; i++) {
        let v = vec4f(Acc(x[e.x]), Acc(x[e.y]), Acc(x[e.z]), Acc(x[e.w]));
        textureStore(texels, at(t), select(vec4f(), v, vec4u(i) < count));
        e += vec4u(1u);
        t += P.width;
      }
    }
  }
}
