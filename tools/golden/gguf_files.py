"""Writes packages/core/src/io/gguf/gguf.golden.json: a small GGUF file with a tensor of every type that is read, and its numbers as the
package gguf multiplies them out with numpy; and files that must be refused.

Run from the repository root with gguf (made with 0.19) and numpy installed: python tools/golden/gguf_files.py
"""

import base64
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np

OUT = Path(__file__).parents[2] / "packages/core/src/io/gguf/gguf.golden.json"
TYPES = gguf.GGMLQuantizationType
READ = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
# Where the f16 numbers are that scale a block, of the types that gguf does not quantise.
SCALES = {"Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def blocks(name: str, rng: np.random.Generator) -> np.ndarray:
    """Two rows of two blocks: of numbers where gguf quantises, or else of bits with scales of ordinary size."""
    kind = TYPES[name]
    size, width = gguf.GGML_QUANT_SIZES[kind]
    if name not in SCALES:
        return gguf.quants.quantize(rng.standard_normal((2, 2 * size), dtype=np.float32), kind)
    raw = rng.integers(0, 256, (4, width), dtype=np.uint8)
    for at in SCALES[name]:
        raw[:, at : at + 2] = rng.uniform(-0.1, 0.1, (4, 1)).astype(np.float16).view(np.uint8)
    return raw.reshape(2, 2 * width)


def write(tensors: list[tuple[str, np.ndarray, TYPES | None]], shapes: dict[str, list[int]] = {}) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gguf"
        writer = gguf.GGUFWriter(path, "sd1")
        writer.add_string("general.name", "small é")
        writer.add_uint32("general.file_type", 1)
        writer.add_float64("half", 0.5)
        writer.add_bool("yes", True)
        writer.add_array("texts", ["a", "bc"])
        writer.add_array("numbers", list(range(100)))
        for name, shape in shapes.items():
            writer.add_array(f"comfy.gguf.orig_shape.{name}", shape)
        for name, data, kind in tensors:
            writer.add_tensor(name, data, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def main() -> None:
    rng = np.random.default_rng(7)
    tensors, golden = [], {}
    for name in READ:
        data = blocks(name, rng)
        values = gguf.quants.dequantize(data, TYPES[name])
        tensors.append((name.lower(), data, TYPES[name]))
        golden[name.lower()] = (name, values.shape, values)
    kernel = rng.standard_normal((2, 3, 4, 5), dtype=np.float32)
    tensors += [("f32", kernel, None), ("f16", kernel.astype(np.float16), None)]
    golden["f32"] = ("F32", kernel.shape, kernel)
    golden["f16"] = ("F16", kernel.shape, kernel.astype(np.float16).astype(np.float32))
    bf16 = (kernel.view(np.uint32) >> 16).astype(np.uint16)
    tensors.append(("bf16", bf16.view(np.uint8).reshape(2, 3, 4, 10), TYPES.BF16))
    golden["bf16"] = ("BF16", kernel.shape, (bf16.astype(np.uint32) << 16).view(np.float32))
    fitted = blocks("Q8_0", rng)
    tensors.append(("fitted", fitted, TYPES.Q8_0))
    golden["fitted"] = ("Q8_0", (4, 8, 2, 2), gguf.quants.dequantize(fitted, TYPES.Q8_0))
    odd = write([("odd", rng.integers(0, 256, (1, 84), dtype=np.uint8), TYPES.Q2_K)])
    data = {
        "note": f"gguf {version('gguf')}: quants.dequantize; values are f32 in base64. tools/golden/gguf_files.py",
        "base64": base64.b64encode(write(tensors, {"fitted": [4, 8, 2, 2]})).decode(),
        "tensors": {
            name: {"dtype": dtype, "shape": list(shape), "values": base64.b64encode(values.astype("<f4").tobytes()).decode()}
            for name, (dtype, shape, values) in golden.items()
        },
        "refused": {"Q2_K": base64.b64encode(odd).decode()},
    }
    OUT.write_text(json.dumps(data, indent=1) + "\n")


main()
