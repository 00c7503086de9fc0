"""Writes packages/core/src/random/torch-generator.golden.json from torch's CPU generator.

Run from the repository root with torch (made with 1.13) installed: python tools/golden/torch_random.py
"""

import json
from pathlib import Path

import torch

OUT = Path(__file__).parents[2] / "packages/core/src/random/torch-generator.golden.json"


def case(seed):
    def fresh():
        return torch.Generator().manual_seed(seed)

    short = fresh()
    mixed = fresh()
    return {
        "seed": seed,
        "uniform": torch.rand(9, generator=fresh()).tolist(),
        "randint": torch.randint(-5, 1000003, (9,), generator=fresh()).tolist(),
        "randintWide": torch.randint(-(2**31), 2**31 - 1, (5,), generator=fresh()).tolist(),
        "randperm": torch.randperm(23, generator=fresh()).tolist(),
        # Odd lengths leave half a pair in the generator's cache for the next short call.
        "randnShort": [torch.randn(n, generator=short).tolist() for n in (1, 5, 15)],
        "randn": {str(n): torch.randn(n, generator=fresh()).tolist() for n in (16, 20, 32, 37)},
        # A long draw must not touch that cache.
        "mixed": [
            torch.randn(3, generator=mixed).tolist(),
            torch.randn(17, generator=mixed).tolist(),
            torch.rand(2, generator=mixed).tolist(),
            torch.randn(1, generator=mixed).tolist(),
            torch.randperm(4, generator=mixed).tolist(),
        ],
        # Far into the stream, so that the twister has turned over many times.
        "randnFar": torch.randn(4096, generator=fresh())[-8:].tolist(),
    }


golden = {"generator": f"torch {torch.__version__} CPU", "cases": [case(s) for s in (0, 42, 2**33 + 5)]}
OUT.write_text(json.dumps(golden) + "\n")
