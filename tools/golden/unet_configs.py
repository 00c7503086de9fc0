"""Writes packages/models/src/unet/unet-configs.golden.json: outputs of diffusers' UNet2DConditionModel for unusual configurations.

Run from the repository root with diffusers (made with 0.42.1) and torch (2.15) installed: python tools/golden/unet_configs.py
"""

import json
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel

from waves import fill, summary, waves

OUT = Path(__file__).parents[2] / "packages/models/src/unet/unet-configs.golden.json"
BASE = {"block_out_channels": [8, 16], "norm_num_groups": 4, "in_channels": 2, "out_channels": 2}
CASES = {
    "lists for every block, and no middle": {
        **BASE,
        "layers_per_block": [1, 2],
        "mid_block_type": None,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
        "cross_attention_dim": [20, 12],
        "attention_head_dim": [8, 2],
        "transformer_layers_per_block": [1, 2],
        "only_cross_attention": [False, False],
    },
    "self-attention with heads of two widths": {
        **BASE,
        "layers_per_block": 1,
        "mid_block_type": "UNetMidBlock2D",
        "down_block_types": ["AttnDownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D"],
        "attention_head_dim": [2, 8],
        "downsample_padding": 0,
        "num_class_embeds": 3,
        "freq_shift": 1,
        "flip_sin_to_cos": False,
    },
}

cases = []
for name, config in CASES.items():
    model = fill(UNet2DConditionModel(**config))
    sample = waves("input.sample", (1, 2, 4, 4), 0, 1)
    context = waves("input.ctx", (1, 3, 12), 0, 1)
    labels = torch.tensor([1]) if "num_class_embeds" in config else None
    with torch.no_grad():
        out = model(sample, torch.tensor([500.0]), context, class_labels=labels).sample
    # What save_pretrained writes, as a user would have it on disk.
    saved = json.loads(model.to_json_string())
    cases.append({"name": name, "config": saved, "params": sum(p.numel() for p in model.parameters()), "output": summary(out)})

OUT.write_text(json.dumps({"note": "Float64 outputs of diffusers by tools/golden/unet_configs.py", "cases": cases}, indent=1) + "\n")
