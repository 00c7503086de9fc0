"""Writes packages/rewards/src/jpeg-sizes.golden.json: how many bits a pixel Pillow's JPEG takes for pictures by formula of growing detail.

Run from the repository root with Pillow (made with 13.0) and numpy installed: python tools/golden/jpeg_sizes.py
"""

import io
import json
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

OUT = Path(__file__).parents[2] / "packages/rewards/src/jpeg-sizes.golden.json"
SIDE = 64
# Amplitude and cycles of a wave across, and amplitude of a fine pattern, of each picture.
PICTURES = [[0.0, 0, 0.0], [0.4, 1, 0.0], [0.4, 3, 0.0], [0.2, 1, 0.02], [0.2, 5, 0.05], [0.2, 9, 0.1], [0.2, 9, 0.25]]


def picture(amplitude, cycles, fine):
    c, y, x = np.meshgrid(np.arange(3), np.arange(SIDE), np.arange(SIDE), indexing="ij")
    wave = np.sin(2 * np.pi * cycles * (x + 0.5 * y) / SIDE + 0.5 * c)
    pattern = np.sin(12.9898 * x + 78.233 * y + 3.7 * x * y + 2 * c)
    return 0.5 + amplitude * wave + fine * pattern


def header(quality):
    """Bytes that hold no picture: those of one of a single colour, less its few of blocks."""
    return size(np.full((3, SIDE, SIDE), 0.5), quality)


def size(values, quality):
    data = io.BytesIO()
    pixels = np.round(values * 255).astype(np.uint8).transpose(1, 2, 0)
    Image.fromarray(pixels).save(data, "JPEG", quality=quality, subsampling=0, optimize=True)
    return len(data.getvalue())


bits = {
    quality: [round(8 * (size(picture(*p), quality) - header(quality)) / SIDE**2, 4) for p in PICTURES]
    for quality in (50, 95)
}
OUT.write_text(json.dumps({"pillow": PIL.__version__, "side": SIDE, "pictures": PICTURES, "bits": bits}) + "\n")
