"""Writes packages/kernels-wgsl/src/quantised/blocks.golden.json: numbers, and the blocks of ggml's types q8_0 and q4_0 that the package
gguf rounds them to with numpy.

Run from the repository root with gguf (made with 0.19) and numpy installed: python tools/golden/blocks.py
"""

import base64
import json
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np

OUT = Path(__file__).parents[2] / "packages/kernels-wgsl/src/quantised/blocks.golden.json"


def main() -> None:
    rng = np.random.default_rng(5)
    rows = [rng.standard_normal(32) * size for size in (1, 0.02, 1e-6, 3e-8, 1e4, 1e5)]
    rows += [np.zeros(32), np.full(32, -1.0), np.arange(32) - 16, (np.arange(32) - 15) / 2]
    # Halves of a step of q8_0, and the largest of either sign first.
    rows += [np.arange(32) + 0.5, -(np.arange(32) + 0.5) * 4, np.tile([127, 0.5, -1.5, 63.5], 8), np.tile([4, -4, 0.25, -0.25], 8)]
    rows += [np.tile([-4, 4, 2.75, -3.25], 8), rng.standard_normal(32).astype(np.float16)]
    values = np.array(rows, dtype=np.float32)
    text = lambda a: base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()
    golden = {name.lower(): text(gguf.quants.quantize(values, gguf.GGMLQuantizationType[name])) for name in ("Q8_0", "Q4_0")}
    made = f"tools/golden/blocks.py with gguf {version('gguf')} and numpy {np.__version__}"
    OUT.write_text(json.dumps({"source": made, "values": text(values), **golden}, indent=1) + "\n")


if __name__ == "__main__":
    main()
