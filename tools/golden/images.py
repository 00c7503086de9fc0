"""Writes packages/pipelines/src/images/images.golden.json: what Pillow and diffusers make of images.

Run from the repository root with diffusers (made with 0.42.1), torch (2.15) and Pillow (13.0) installed:
python tools/golden/images.py
"""

import base64
import io
import json
from pathlib import Path

import diffusers
import numpy as np
import PIL
import torch
from diffusers.image_processor import VaeImageProcessor
from PIL import Image, PngImagePlugin

OUT = Path(__file__).parents[2] / "packages/pipelines/src/images/images.golden.json"


def pixels(width, height, channels):
    """Bytes by formula, with hard edges; images.test.ts has the same."""
    i = np.arange(width * height * channels)
    return ((i * 73 + i * i % 251 + (i // 7 % 2) * 128) % 256).astype(np.uint8).reshape(height, width, channels)


def image(width, height, channels):
    data = pixels(width, height, channels)
    return Image.fromarray(data[..., 0] if channels == 1 else data)


def base64_of(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def png(picture, **options):
    file = io.BytesIO()
    picture.save(file, "png", **options)
    return base64.b64encode(file.getvalue()).decode()


lanczos = []
for channels, size, to in [
    (3, (13, 9), (24, 16)), (3, (40, 33), (16, 8)), (3, (17, 16), (16, 16)), (1, (7, 50), (7, 8)), (3, (5, 5), (64, 3)),
    (1, (6, 5), (3, 20)), (1, (9, 14), (8, 9)),
]:
    out = np.asarray(image(*size, channels).resize(to, Image.Resampling.LANCZOS))
    lanczos.append({"channels": channels, "from": size, "to": to, "bytes": base64_of(out)})

processor = VaeImageProcessor(vae_scale_factor=8)
masks = VaeImageProcessor(vae_scale_factor=8, do_normalize=False, do_binarize=True, do_convert_grayscale=True)
preprocess = []
for size, options in [((29, 18), {}), ((24, 16), {}), ((20, 20), {"height": 33, "width": 8})]:
    out = processor.preprocess(image(*size, 3), **options)
    mask = masks.preprocess(image(*size, 3), **options)
    preprocess.append({
        "size": size, "options": options, "shape": list(out.shape), "float32": base64_of(out.numpy()),
        "mask": "".join(str(int(v)) for v in mask.reshape(-1)),
    })

nearest = []
for size, to in [((9, 13), (8, 8)), ((5, 7), (11, 20)), ((37, 6), (16, 6))]:
    source = torch.arange(size[0] * size[1], dtype=torch.float32).reshape(1, 1, *size)
    picked = torch.nn.functional.interpolate(source, size=to).reshape(-1).int().tolist()
    nearest.append({"from": size, "to": to, "picked": picked})

values = torch.linspace(-1.2, 1.2, 192).reshape(1, 3, 8, 8)
# Halves, which are rounded to even.
values[0, 0, 0] = torch.tensor([(2 * (k + 0.5) / 255) - 1 for k in range(8)])
shown = processor.postprocess(values, output_type="pil")[0]
postprocess = {"float32": base64_of(values.numpy()), "rgb": base64_of(np.asarray(shown))}

text = PngImagePlugin.PngInfo()
text.add_text("parameters", "a café\nSteps: 20, Seed: 1")
text.add_text("Title", "猫 and 🐈")
text.add_text("packed", "left out " * 9, zip=True)
grey = image(10, 6, 1)
palette = image(9, 5, 3).quantize(7)
clear = palette.copy()
clear.info["transparency"] = bytes([0, 128, 255])
files = {}
for name, picture, options in [
    ("RGB with texts", image(6, 4, 3), {"pnginfo": text}), ("RGBA", image(5, 3, 4), {}), ("grey", grey, {}),
    ("one bit", grey.point(lambda v: 255 * (v > 127)).convert("1"), {}),
    ("grey and alpha", image(5, 3, 4).convert("LA"), {}),
    ("palette of four bits", palette, {}), ("palette with alpha", clear, {"transparency": clear.info["transparency"]}),
    ("RGB with one clear colour", image(6, 4, 3), {"transparency": tuple(int(v) for v in pixels(6, 4, 3)[1, 2])}),
]:
    read = Image.open(io.BytesIO(base64.b64decode(png(picture, **options))))
    rgba = base64_of(np.asarray(read.convert("RGBA")))
    files[name] = {"png": png(picture, **options), "size": picture.size, "rgba": rgba}
wide = Image.fromarray(np.arange(0, 65536, 2731, dtype=np.uint16).reshape(4, 6))
high = base64_of((np.asarray(wide) >> 8).astype(np.uint8))
files["grey of sixteen bits"] = {"png": png(wide), "size": wide.size, "high": high}

colours = np.broadcast_arrays(np.arange(24) * 9, np.arange(16)[:, None] * 14, 90)
smooth = Image.fromarray(np.stack(colours, -1).astype(np.uint8))
file = io.BytesIO()
smooth.save(file, "jpeg", quality=95, subsampling=0)
read = np.asarray(Image.open(io.BytesIO(file.getvalue())))
jpeg = {"file": base64.b64encode(file.getvalue()).decode(), "size": smooth.size, "rgb": base64_of(read)}

OUT.write_text(json.dumps({
    "note": f"By tools/golden/images.py: Pillow {PIL.__version__}, diffusers {diffusers.__version__}, torch {torch.__version__}",
    "lanczos": lanczos, "preprocess": preprocess, "nearest": nearest, "postprocess": postprocess, "files": files, "jpeg": jpeg,
}, indent=1) + "\n")
