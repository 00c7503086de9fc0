// conv2d/f32/pack-taps: 2 × 1 × 1 workgroups, WG = 4; input 1, texture 1
alias Scalar = f32;
alias Acc = f32;
struct Params { items: u32, panels: u32, rows: u32, fours: u32, channels: u32, position: u32, of_panels: f32, first: u32, tap_step: u32, group_step: u32, row_step: u32, step: u32 }
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
    let z = over(item, P.panels, P.of_panels);
    let row = min((item - z * P.panels) * WG + lane, P.rows - 1u);
    var e = P.first + z * P.group_step + row * P.row_step;
    var to = (item + z * 35u * P.panels) * P.fours * WG + lane;
    for (var c = 0u; c < P.channels; c += 4u) {
      let known = c + vec4u(0u, 1u, 2u, 3u) < vec4u(P.channels);
      var u0 = vec4f();
var u1 = vec4f();
var u2 = vec4f();
var u3 = vec4f();
var u4 = vec4f();
var u5 = vec4f();
var u6 = vec4f();
var u7 = vec4f();
var u8 = vec4f();
var u9 = vec4f();
var u10 = vec4f();
var u11 = vec4f();
var u12 = vec4f();
var u13 = vec4f();
var u14 = vec4f();
var u15 = vec4f();
var u16 = vec4f();
var u17 = vec4f();
var u18 = vec4f();
var u19 = vec4f();
var u20 = vec4f();
var u21 = vec4f();
var u22 = vec4f();
var u23 = vec4f();
var u24 = vec4f();
var u25 = vec4f();
var u26 = vec4f();
var u27 = vec4f();
var u28 = vec4f();
var u29 = vec4f();
var u30 = vec4f();
var u31 = vec4f();
var u32 = vec4f();
var u33 = vec4f();
var u34 = vec4f();
var u35 = vec4f();
      for (var v = 0u; v < 3u; v++) {
        let v0 = select(select(f32(0), f32(0), v == 1u), f32(1.1377777777777778), v == 0u);
let v1 = select(select(f32(-0.2689075630252101), f32(-0.43025210084033616), v == 1u), f32(-0.6884033613445378), v == 0u);
let v2 = select(select(f32(-0.2689075630252101), f32(0.43025210084033616), v == 1u), f32(-0.6884033613445378), v == 0u);
let v3 = select(select(f32(0.2689075630252101), f32(0.1792717086834734), v == 1u), f32(0.11951447245564893), v == 0u);
let v4 = select(select(f32(0.2689075630252101), f32(-0.1792717086834734), v == 1u), f32(0.11951447245564893), v == 0u);
let v5 = select(select(f32(1), f32(0), v == 1u), f32(0), v == 0u);
        for (var h = 0u; h < 3u; h++) {
          let w = select(vec4f(), vec4f(Acc(x[e]), Acc(x[e + P.step]), Acc(x[e + 2u * P.step]), Acc(x[e + 3u * P.step])), known);
          let w0 = select(select(f32(0), f32(0), h == 1u), f32(1.1377777777777778), h == 0u) * w;
let w1 = select(select(f32(-0.2689075630252101), f32(-0.43025210084033616), h == 1u), f32(-0.6884033613445378), h == 0u) * w;
let w2 = select(select(f32(-0.2689075630252101), f32(0.43025210084033616), h == 1u), f32(-0.6884033613445378), h == 0u) * w;
let w3 = select(select(f32(0.2689075630252101), f32(0.1792717086834734), h == 1u), f32(0.11951447245564893), h == 0u) * w;
let w4 = select(select(f32(0.2689075630252101), f32(-0.1792717086834734), h == 1u), f32(0.11951447245564893), h == 0u) * w;
let w5 = select(select(f32(1), f32(0), h == 1u), f32(0), h == 0u) * w;
          u0 += v0 * w0;
u1 += v0 * w1;
u2 += v0 * w2;
u3 += v0 * w3;
u4 += v0 * w4;
u5 += v0 * w5;
u6 += v1 * w0;
u7 += v1 * w1;
u8 += v1 * w2;
u9 += v1 * w3;
u10 += v1 * w4;
u11 += v1 * w5;
u12 += v2 * w0;
u13 += v2 * w1;
u14 += v2 * w2;
u15 += v2 * w3;
u16 += v2 * w4;
u17 += v2 * w5;
u18 += v3 * w0;
u19 += v3 * w1;
u20 += v3 * w2;
u21 += v3 * w3;
u22 += v3 * w4;
u23 += v3 * w5;
u24 += v4 * w0;
u25 += v4 * w1;
u26 += v4 * w2;
u27 += v4 * w3;
u28 += v4 * w4;
u29 += v4 * w5;
u30 += v5 * w0;
u31 += v5 * w1;
u32 += v5 * w2;
u33 += v5 * w3;
u34 += v5 * w4;
u35 += v5 * w5;
          e += P.tap_step;
        }
      }
      textureStore(texels, at(to + 0u * P.position), u0);
textureStore(texels, at(to + 1u * P.position), u1);
textureStore(texels, at(to + 2u * P.position), u2);
textureStore(texels, at(to + 3u * P.position), u3);
textureStore(texels, at(to + 4u * P.position), u4);
textureStore(texels, at(to + 5u * P.position), u5);
textureStore(texels, at(to + 6u * P.position), u6);
textureStore(texels, at(to + 7u * P.position), u7);
textureStore(texels, at(to + 8u * P.position), u8);
textureStore(texels, at(to + 9u * P.position), u9);
textureStore(texels, at(to + 10u * P.position), u10);
textureStore(texels, at(to + 11u * P.position), u11);
textureStore(texels, at(to + 12u * P.position), u12);
textureStore(texels, at(to + 13u * P.position), u13);
textureStore(texels, at(to + 14u * P.position), u14);
textureStore(texels, at(to + 15u * P.position), u15);
textureStore(texels, at(to + 16u * P.position), u16);
textureStore(texels, at(to + 17u * P.position), u17);
textureStore(texels, at(to + 18u * P.position), u18);
textureStore(texels, at(to + 19u * P.position), u19);
textureStore(texels, at(to + 20u * P.position), u20);
textureStore(texels, at(to + 21u * P.position), u21);
textureStore(texels, at(to + 22u * P.position), u22);
textureStore(texels, at(to + 23u * P.position), u23);
textureStore(texels, at(to + 24u * P.position), u24);
textureStore(texels, at(to + 25u * P.position), u25);
textureStore(texels, at(to + 26u * P.position), u26);
textureStore(texels, at(to + 27u * P.position), u27);
textureStore(texels, at(to + 28u * P.position), u28);
textureStore(texels, at(to + 29u * P.position), u29);
textureStore(texels, at(to + 30u * P.position), u30);
textureStore(texels, at(to + 31u * P.position), u31);
textureStore(texels, at(to + 32u * P.position), u32);
textureStore(texels, at(to + 33u * P.position), u33);
textureStore(texels, at(to + 34u * P.position), u34);
textureStore(texels, at(to + 35u * P.position), u35);
      e += 4u * P.step - 9u * P.tap_step;
      to += WG;
    }
  }
}
