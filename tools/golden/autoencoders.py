"""Writes packages/models/src/autoencoder/autoencoders.golden.json: what diffusers' autoencoders make of images.

Run from the repository root with diffusers (made with 0.42.1) and torch (2.15) installed:
python tools/golden/autoencoders.py
"""

import json
from pathlib import Path

import diffusers
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from torch import nn

from waves import fill, summary, waves

OUT = Path(__file__).parents[2] / "packages/models/src/autoencoder/autoencoders.golden.json"


def levels(*channels, **rest):
    return {
        "down_block_types": ["DownEncoderBlock2D"] * len(channels),
        "up_block_types": ["UpDecoderBlock2D"] * len(channels),
        "block_out_channels": list(channels),
        **rest,
    }


# Name: configuration, sides of an image, sides of latents.
KL = {
    "four levels": (levels(4, 8, 8, 8, norm_num_groups=4), (16, 24), (2, 3)),
    "three resnets a block and two groups": (levels(4, 6, norm_num_groups=2, layers_per_block=3), (8, 8), (3, 5)),
    "no attention": (levels(4, 8, norm_num_groups=4, mid_block_add_attention=False), (8, 10), (4, 3)),
    "sixteen latent channels and no convolutions beside them": (
        levels(8, 8, norm_num_groups=4, latent_channels=16, use_quant_conv=False, use_post_quant_conv=False,
               scaling_factor=0.3611, shift_factor=0.1159, force_upcast=True),
        (8, 6), (3, 4)),
    "a convolution behind the latents only": (levels(4, 4, norm_num_groups=2, use_quant_conv=False), (6, 6), (3, 3)),
    "one channel and sides that nothing divides": (
        levels(4, 4, 4, norm_num_groups=2, in_channels=1, out_channels=1), (13, 19), (3, 5)),
    "one level": (levels(8, norm_num_groups=8), (5, 6), (5, 6)),
    "four channels in and three out": (levels(4, 8, norm_num_groups=2, in_channels=4), (8, 8), (4, 4)),
    "widths that fall and rise": (levels(12, 4, 8, norm_num_groups=4, layers_per_block=2), (12, 8), (3, 2)),
    "an activation by its other name, and norms of the latents": (
        levels(4, 8, norm_num_groups=1, act_fn="swish", latent_channels=3, latents_mean=[0.1, 0.2, 0.3],
               latents_std=[1.0, 2.0, 3.0]), (8, 8), (4, 4)),
    "tiles that are not square in number": (levels(4, 8, norm_num_groups=4, sample_size=16), (40, 27), (9, 21)),
}

TINY = {
    "TAESD's layers, narrow": (
        {"encoder_block_out_channels": [8] * 4, "decoder_block_out_channels": [8] * 4}, (19, 24), (2, 3)),
    "two levels, GELU and latents of sixteen channels": (
        {"encoder_block_out_channels": [6, 6], "decoder_block_out_channels": [4, 4], "num_encoder_blocks": [1, 2],
         "num_decoder_blocks": [2, 0], "act_fn": "gelu", "latent_channels": 16, "scaling_factor": 0.3611}, (8, 6), (3, 4)),
    "sides that grow fourfold": (
        {"encoder_block_out_channels": [4], "decoder_block_out_channels": [4, 4], "num_encoder_blocks": [1],
         "num_decoder_blocks": [1, 1], "upsampling_scaling_factor": 4, "act_fn": "silu"}, (5, 4), (2, 2)),
}


def case(name, model, config, sides, moments_of):
    image = waves("input.x", (1, model.config.in_channels, *sides[0]), 0, 1)
    latents = waves("input.z", (1, model.config.latent_channels, *sides[1]), 0, 1)
    with torch.no_grad():
        outputs = {"encoded": summary(moments_of(image)), "decoded": summary(model.decode(latents).sample)}
        if isinstance(model, AutoencoderKL) and "sample_size" in config:
            model.enable_tiling()
            outputs["encodedTiled"] = summary(moments_of(image))
            outputs["decodedTiled"] = summary(model.decode(latents).sample)
    return {
        "name": name,
        # What save_pretrained writes, as a user would have it on disk.
        "config": json.loads(model.to_json_string()),
        "params": sum(p.numel() for p in model.parameters()),
        "image": list(image.shape), "latents": list(latents.shape), **outputs,
    }


class PooledBlock(nn.Module):
    """A block of AutoencoderTiny before which a pooled branch is added, as TAEF2 has it."""

    def __init__(self, width):
        super().__init__()
        conv = lambda: nn.Conv2d(width, width, 3, padding=1)
        self.conv = nn.Sequential(conv(), nn.ReLU(), conv(), nn.ReLU(), conv())
        self.pool = nn.Sequential(
            nn.Conv2d(width, 4 * width, 1, bias=False), nn.GroupNorm(4, 4 * width), nn.ReLU(),
            nn.Conv2d(4 * width, width, 1, bias=False))

    def forward(self, x):
        y = x + self.pool(x)
        return torch.relu(self.conv(y) + y)


def pooled():
    """diffusers' class with such blocks at the lowest resolution."""
    model = AutoencoderTiny(encoder_block_out_channels=[4] * 4, decoder_block_out_channels=[4] * 4, latent_channels=5)
    for layers, places in ((model.encoder.layers, (11, 12, 13)), (model.decoder.layers, (2, 3, 4))):
        for place in places:
            layers[place] = PooledBlock(4)
    return model


cases = {"kl": [], "tiny": []}
for name, (config, *sides) in KL.items():
    model = fill(AutoencoderKL(**config))
    cases["kl"].append(case(name, model, config, sides, lambda x: model.encode(x).latent_dist.parameters))
for name, (config, *sides) in TINY.items():
    model = fill(AutoencoderTiny(**config))
    cases["tiny"].append(case(name, model, config, sides, lambda x: model.encode(x).latents))
model = fill(pooled())
name = "TAEF2's norms in blocks of the lowest resolution"
one = case(name, model, {}, ((16, 24), (2, 3)), lambda x: model.encode(x).latents)
cases["tiny"].append({**one, "config": {**one["config"], "use_midblock_gn": True}})

note = f"Float64 outputs of diffusers {diffusers.__version__} by tools/golden/autoencoders.py"
OUT.write_text(json.dumps({"note": note, **cases}, indent=1) + "\n")
