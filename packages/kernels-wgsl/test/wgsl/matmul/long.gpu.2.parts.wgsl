// matmul/f32/parts: 1 × 1 × 1 workgroups, WG = 64; scratch 0, output 0
alias Scalar = f32;
alias Acc = f32;
struct Params { parts: u32, size: u32 }
@group(0) @binding(0) var<uniform> P: Params;
@group(0) @binding(1) var<storage, read_write> part: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<Scalar>;
fn epilogue(v: f32, i: u32) -> f32 { return v; }

override WG: u32;
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(num_workgroups) nw: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var i = w.x * WG + t; i < P.size; i += nw.x * WG) {
    var s = 0.0;
    for (var p = 0u; p < P.parts; p++) { s += part[p * P.size + i]; }
    out[i] = Scalar(epilogue(s, i));
  }
}
