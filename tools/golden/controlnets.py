"""Writes packages/models/src/unet/controlnets.golden.json: residuals of diffusers' ControlNetModel, and a gradient of the mean square of the
middle's, in float64 as in unet_configs.py.

Run from the repository root with diffusers (made with 0.42.1) and torch (2.15) installed: python tools/golden/controlnets.py
"""

import json
from pathlib import Path
from unittest import mock

import diffusers.models.embeddings
import torch
from diffusers import ControlNetModel

from waves import fill, waves, waves_of_time

diffusers.models.embeddings.get_timestep_embedding = waves_of_time
OUT = Path(__file__).parents[2] / "packages/models/src/unet/controlnets.golden.json"
TINY = {
    "block_out_channels": [4, 8], "norm_num_groups": 2, "in_channels": 2, "layers_per_block": 1, "attention_head_dim": 2, "cross_attention_dim": 6,
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "conditioning_embedding_out_channels": [2, 3, 4],
}  # fmt: skip
SDXL = {"addition_embed_type": "text_time", "addition_time_embed_dim": 4, "projection_class_embeddings_input_dim": 29}
CASES = [
    ("Stable Diffusion", TINY, {}, {}),
    ("a weaker one that guesses", TINY, {}, {"scale": 0.7, "guess": True}),
    ("Stable Diffusion XL, blue first", {
        **TINY, **SDXL, "controlnet_conditioning_channel_order": "bgr", "use_linear_projection": True, "transformer_layers_per_block": [2, 1],
    }, {"textEmbeds": [1, 5], "timeIds": [1, 6]}, {}),
    ("pooled, of one channel and a plain middle", {
        **TINY, "global_pool_conditions": True, "conditioning_channels": 1, "mid_block_type": "UNetMidBlock2D", "num_class_embeds": 3,
    }, {"image": [1, 1, 16, 16], "classLabels": [1]}, {"scale": 2, "guess": True}),
]  # fmt: skip


def numbers(t):
    flat = t.detach().reshape(-1)
    return {"shape": list(t.shape), "l1": flat.abs().sum().item(), "first": flat[:6].tolist()}


cases = []
for name, config, extra, options in CASES:
    model = fill(ControlNetModel(**config))
    inputs = {"sample": [1, 2, 4, 4], "context": [1, 3, 6], "image": [1, 3, 16, 16], **extra}
    given = {key: torch.tensor(shape) if key == "classLabels" else waves(f"input.{key}", shape, 0, 1) for key, shape in inputs.items()}
    added = {"text_embeds": given["textEmbeds"], "time_ids": given["timeIds"]} if "textEmbeds" in given else None
    with mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
        out = model(
            given["sample"], torch.tensor([500.0], dtype=torch.float64), given["context"], given["image"], options.get("scale", 1.0),
            class_labels=given.get("classLabels"), added_cond_kwargs=added, guess_mode=options.get("guess", False),
        )  # fmt: skip
    out.mid_block_res_sample.square().mean().backward()
    own = dict(model.named_parameters())
    first = "controlnet_cond_embedding.conv_in.weight"
    cases.append({
        "name": name, "config": json.loads(model.to_json_string()), "inputs": inputs, "options": options, "params": sum(p.numel() for p in own.values()),
        "skips": [numbers(t) for t in out.down_block_res_samples], "middle": numbers(out.mid_block_res_sample), "grads": {first: numbers(own[first].grad)},
    })  # fmt: skip

note = "float64 residuals of diffusers by tools/golden/controlnets.py"
OUT.write_text(json.dumps({"note": note, "cases": cases}, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
