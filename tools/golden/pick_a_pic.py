"""Writes packages/pipelines/src/training/pairs/pick-a-pic.golden.parquet: a table with the columns of Pick-a-Pic in two groups of rows.

Run from the repository root with pyarrow (made with 26.0.1) and Pillow (13.0.0) installed: python tools/golden/pick_a_pic.py
"""

import io
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

HERE = Path(__file__).parents[2] / "packages/pipelines/src/training"


def picture(shift, width=12, height=8):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel((x, y), tuple(int(127.5 + 127 * math.sin(0.5 * x + 0.3 * y * (c + 1) + c + shift)) for c in range(3)))
    return image


def encoded(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95)
    return file.getvalue()


def table():
    jpeg = [encoded(picture(i)) for i in range(10)]
    rows = {
        "best_image_uid": ["a"] * 5,
        "caption": ["a red cat", "a red cat", "ein Hündchen, naïve 🐕", "a boat", "nobody looked"],
        "jpg_0": [jpeg[0], jpeg[2], jpeg[4], jpeg[6], jpeg[8]],
        "jpg_1": [jpeg[1], jpeg[3], jpeg[5], jpeg[7], jpeg[9]],
        "label_0": [1.0, 0.5, 0.0, 0.25, 0.0],
        "label_1": [0.0, 0.5, 1.0, 0.75, 0.0],
        "has_label": [True, True, True, True, False],
    }
    pq.write_table(pa.table(rows), HERE / "pairs/pick-a-pic.golden.parquet", row_group_size=3, compression="snappy")


table()
