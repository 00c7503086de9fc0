"""Writes packages/rewards/src/clip-images.golden.json: pictures by formula, resized, made square and normalised as CLIP, HPSv2 and VADER
do, in float64.

Run from the repository root with torch (made with 2.15) and numpy installed: python tools/golden/clip_images.py
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from clip_pixels import normalised, square
from waves import waves

OUT = Path(__file__).parents[2] / "packages/rewards/src/clip-images.golden.json"
HEIGHT, WIDTH = 40, 52


def numbers(values, count=12):
    flat = values.flatten()
    at = np.linspace(0, flat.numel() - 1, count).astype(int).tolist()
    return {
        "sum": float(f"{flat.sum():.9g}"), "l1": float(f"{flat.abs().sum():.9g}"),
        "at": at, "values": [float(f"{flat[i]:.9g}") for i in at],
    }


images = waves("input.image", (1, 3, HEIGHT, WIDTH), 0.5, 0.45)
cases, resized = [], []
for mode in ("bicubic", "bilinear"):
    for antialias in (True, False):
        how = {"mode": mode, "antialias": antialias}
        options = {"filter": mode, "antialias": antialias}
        for fit, side in (("crop", 28), ("pad", 28), ("stretch", 28), ("crop", 224)):
            if side == 224 and not (mode == "bicubic" and antialias):
                continue
            made = normalised(square(images, side, fit, **how))
            cases.append({"options": {"side": side, "fit": fit, **options}, **numbers(made)})
        made = F.interpolate(images, (64, 48), **how)
        resized.append({"options": {"height": 64, "width": 48, **options}, **numbers(made)})
lines = ",\n".join(f"    {json.dumps(case)}" for case in cases)
more = ",\n".join(f"    {json.dumps(case)}" for case in resized)
OUT.write_text(f'{{\n  "torch": "{torch.__version__}",\n  "clipImages": [\n{lines}\n  ],\n  "resize": [\n{more}\n  ]\n}}\n')
