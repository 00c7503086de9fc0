"""Pictures as CLIP, HPSv2 and VADER take them, in torch."""

import torch
import torch.nn.functional as F

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def square(images, side, fit, mode="bicubic", antialias=True):
    how = {"mode": mode, "antialias": antialias}
    height, width = images.shape[-2:]
    if fit == "stretch":
        return F.interpolate(images, (side, side), **how)
    if fit == "crop":
        short = min(height, width)
        high, wide = int(side * height / short), int(side * width / short)
        top, left = round((high - side) / 2), round((wide - side) / 2)
        return F.interpolate(images, (high, wide), **how)[..., top : top + side, left : left + side]
    long = max(height, width)
    high, wide = round(height * (side / long)), round(width * (side / long))
    below, right = side - high, side - wide
    resized = F.interpolate(images, (high, wide), **how)
    return F.pad(resized, (right // 2, right - right // 2, below // 2, below - below // 2))


def normalised(images):
    mean, deviation = (torch.tensor(v, dtype=images.dtype)[:, None, None] for v in (MEAN, DEVIATION))
    return (images - mean) / deviation
