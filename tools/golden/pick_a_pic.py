"""Writes what readers of preference pairs are held to, below packages/pipelines/src/training/: pairs/pick-a-pic.golden.parquet, a table
with the columns of Pick-a-Pic in two groups of rows, and pictures/pictures.golden.json, small pictures in every form that is read, with
what Pillow makes of them and of their resizing.

Run from the repository root with pyarrow (made with 26.0.1) and Pillow (13.0.0) installed: python tools/golden/pick_a_pic.py
"""

import base64
import io
import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

HERE = Path(__file__).parents[2] / "packages/pipelines/src/training"


def picture(shift, size=(12, 8), mode="RGB"):
    width, height = size
    image = Image.new("RGB", size)
    for y in range(height):
        for x in range(width):
            image.putpixel((x, y), tuple(int(127.5 + 127 * math.sin(0.5 * x + 0.3 * y * (c + 1) + c + shift)) for c in range(3)))
    return image.convert(mode)


def encoded(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def table():
    jpeg = [encoded(picture(i), "JPEG", quality=95) for i in range(10)]
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


def pictures():
    colour = picture(0)
    forms = {
        "png": encoded(colour, "PNG"),
        "png with alpha": encoded(picture(1, mode="RGBA"), "PNG"),
        "png in grey": encoded(picture(2, mode="L"), "PNG"),
        "png with a palette": encoded(picture(3).quantize(16), "PNG"),
        "jpeg": encoded(picture(4, (16, 16)), "JPEG", quality=95, subsampling=0),
        "jpeg in grey": encoded(picture(5, (16, 16), "L"), "JPEG", quality=95),
        "progressive jpeg": encoded(picture(6, (24, 16)), "JPEG", quality=90, progressive=True, subsampling=0),
    }
    read = {}
    for name, data in forms.items():
        image = Image.open(io.BytesIO(data)).convert("RGB")
        read[name] = {"bytes": base64.b64encode(data).decode(), "width": image.width, "height": image.height, "pixels": list(image.tobytes())}
    sizes = [(6, 4), (5, 3), (24, 16), (12, 20)]
    resized = [{"width": w, "height": h, "pixels": list(colour.resize((w, h), Image.Resampling.BILINEAR).tobytes())} for w, h in sizes]
    golden = {"made with": "tools/golden/pick_a_pic.py; Pillow 13.0.0", "read": read, "resized": resized}
    (HERE / "pictures/pictures.golden.json").write_text(json.dumps(golden) + "\n")


table()
pictures()
