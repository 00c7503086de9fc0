"""Writes packages/core/src/io/golden.safetensors with the reference implementation.

Run from the repository root with safetensors (made with 0.8.0) installed: python tools/golden/safetensors_file.py
With a path as argument it reads that file instead and prints its content as JSON, to check files of ours.
"""

import ctypes
import json
import struct
import sys
from pathlib import Path

from safetensors import TensorSpec, deserialize, serialize_file

OUT = Path(__file__).parents[2] / "packages/core/src/io/golden.safetensors"

if len(sys.argv) > 1:
    content = deserialize(Path(sys.argv[1]).read_bytes())
    print(json.dumps({n: [t["dtype"], t["shape"], bytes(t["data"]).hex()] for n, t in content}, sort_keys=True))
    sys.exit()

# 1.5, -2, the largest f16 and a subnormal, each in the bits of its format.
tensors = {
    "f64": ("float64", [4], struct.pack("<4d", 1.5, -2, 65504, 2**-24)),
    "f32": ("float32", [2, 2], struct.pack("<4f", 1.5, -2, 65504, 2**-24)),
    "f16": ("float16", [4, 1], struct.pack("<4e", 1.5, -2, 65504, 2**-24)),
    "bf16": ("bfloat16", [2], bytes.fromhex("c03f00c0")),
    "i64": ("int64", [2], struct.pack("<2q", -(2**40), 7)),
    "i32": ("int32", [2], struct.pack("<2i", -(2**31), 7)),
    "i16": ("int16", [2], struct.pack("<2h", -(2**15), 7)),
    "i8": ("int8", [3], struct.pack("<3b", -128, 0, 7)),
    "u64": ("uint64", [1], struct.pack("<Q", 2**53)),
    "u32": ("uint32", [1], struct.pack("<I", 2**32 - 1)),
    "u16": ("uint16", [1], struct.pack("<H", 2**16 - 1)),
    "u8": ("uint8", [3], bytes([0, 127, 255])),
    "bool": ("bool", [3], bytes([1, 0, 1])),
    "f8_e4m3": ("float8_e4m3fn", [2], bytes([0x38, 0xC0])),
    "f8_e5m2": ("float8_e5m2", [2], bytes([0x3C, 0xC0])),
    "scalar": ("float32", [], struct.pack("<f", 0.25)),
    "empty": ("float32", [0, 3], b""),
    'na"me é\n': ("float32", [1], struct.pack("<f", 3)),
}
buffers = {name: ctypes.create_string_buffer(data, len(data)) for name, (_, _, data) in tensors.items()}
specs = {
    name: TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffers[name]), data_len=len(data))
    for name, (dtype, shape, data) in tensors.items()
}
serialize_file(specs, str(OUT), {"format": "pt"})
