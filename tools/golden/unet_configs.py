"""Writes packages/models/src/unet/unet-configs.golden.json: what diffusers' UNet2DConditionModel makes of configurations of many kinds, with
some gradients of the mean square against a target.

Everything is computed in float64, the waves of time too, of frequencies rounded to float32: diffusers has them in float32, whose sines of
large angles are right to 1e-5 alone. So is a softmax that it has in float32 at any rate.
Run from the repository root with diffusers (made with 0.42.1) and torch (2.15) installed: python tools/golden/unet_configs.py
"""

import json
from pathlib import Path
from unittest import mock

import diffusers.models.embeddings
import torch
from diffusers import UNet2DConditionModel

from waves import fill, waves, waves_of_time

OUT = Path(__file__).parents[2] / "packages/models/src/unet/unet-configs.golden.json"


diffusers.models.embeddings.get_timestep_embedding = waves_of_time

TINY = {
    "block_out_channels": [4, 8], "norm_num_groups": 2, "in_channels": 2, "out_channels": 2, "layers_per_block": 1, "attention_head_dim": 2,
    "cross_attention_dim": 6, "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
}  # fmt: skip
PLAIN = {**TINY, "down_block_types": ["DownBlock2D"] * 2, "up_block_types": ["UpBlock2D"] * 2, "mid_block_type": "UNetMidBlock2D"}
SELF = {**PLAIN, "down_block_types": ["AttnDownBlock2D"] * 2, "up_block_types": ["AttnUpBlock2D"] * 2}
RESNET = {**PLAIN, "down_block_types": ["ResnetDownsampleBlock2D"] * 2, "up_block_types": ["ResnetUpsampleBlock2D"] * 2}
SIMPLE = {
    **TINY, "down_block_types": ["ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"], "mid_block_type": "UNetMidBlock2DSimpleCrossAttn",
    "up_block_types": ["SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"],
}  # fmt: skip
SDXL = {"addition_embed_type": "text_time", "addition_time_embed_dim": 4, "projection_class_embeddings_input_dim": 29}
LABELS = {"class_embed_type": "simple_projection", "projection_class_embeddings_input_dim": 5}
CLASS = "class_embedding.weight"
TEXT = ["add_embedding.pool.positional_embedding", "add_embedding.norm1.weight"]

# Name, configuration, inputs besides the usual ones, and parameters whose gradients are looked at.
CASES = [
    ("Stable Diffusion", TINY, {}, ["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"]),
    ("two images at two times", TINY, {"sample": [2, 2, 4, 4], "context": [2, 3, 6], "timesteps": [3, 801]}, []),
    ("lists for every block, and no middle", {
        **TINY, "layers_per_block": [1, 2], "mid_block_type": None, "cross_attention_dim": [10, 6], "attention_head_dim": [4, 2],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
        "transformer_layers_per_block": [1, 2], "only_cross_attention": [False, False],
    }, {}, []),
    ("self-attention with heads of two widths", {
        **SELF, "attention_head_dim": [2, 4], "downsample_padding": 0, "num_class_embeds": 3, "freq_shift": 1, "flip_sin_to_cos": False,
    }, {"classLabels": [1]}, [CLASS, "up_blocks.0.attentions.0.to_q.weight"]),
    ("three levels", {
        **TINY, "block_out_channels": [4, 8, 8], "down_block_types": ["CrossAttnDownBlock2D", "AttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "AttnUpBlock2D"], "layers_per_block": [2, 1, 1],
    }, {}, []),
    ("one level", {**PLAIN, "block_out_channels": [4], "down_block_types": ["DownBlock2D"], "up_block_types": ["UpBlock2D"]}, {}, []),
    ("a middle without attention behind blocks with it", {**TINY, "mid_block_type": "UNetMidBlock2D"}, {}, []),
    ("linear projections, two transformer blocks and heads of its own in each block", {
        **TINY, "use_linear_projection": True, "transformer_layers_per_block": 2, "attention_head_dim": [2, 4], "upcast_attention": True,
    }, {}, []),
    ("a context of another width in each block", {
        **TINY, "cross_attention_dim": [6, 6], "down_block_types": ["CrossAttnDownBlock2D"] * 2, "up_block_types": ["CrossAttnUpBlock2D"] * 2,
    }, {}, []),
    ("other transformer blocks up than down", {
        **TINY, "layers_per_block": [2, 1], "transformer_layers_per_block": [[2, 1], 1], "reverse_transformer_layers_per_block": [1, [1, 2, 1]],
    }, {}, ["up_blocks.1.attentions.1.transformer_blocks.1.attn1.to_q.weight"]),
    ("transformer blocks as a number for each block, and in reverse", {
        **TINY, "transformer_layers_per_block": [1, 2], "reverse_transformer_layers_per_block": [1, 2],
    }, {}, []),
    ("latent consistency: a guidance embedding", {**TINY, "time_cond_proj_dim": 6}, {"timestepCond": [1, 6]}, ["time_embedding.cond_proj.weight"]),
    ("latent consistency without one", {**TINY, "time_cond_proj_dim": 6}, {}, []),
    ("classes of a table", {**TINY, "num_class_embeds": 4}, {"classLabels": [2]}, [CLASS]),
    ("classes as times", {**TINY, "class_embed_type": "timestep"}, {"classLabels": [7.5]}, ["class_embedding.linear_1.weight"]),
    ("classes as they are", {**TINY, "class_embed_type": "identity"}, {"classLabels": [1, 16]}, []),
    ("classes behind two layers", {
        **TINY, "class_embed_type": "projection", "projection_class_embeddings_input_dim": 5,
    }, {"classLabels": [1, 5]}, ["class_embedding.linear_2.weight"]),
    ("classes behind two layers of a model with another activation", {
        **TINY, "class_embed_type": "projection", "projection_class_embeddings_input_dim": 5, "act_fn": "gelu",
    }, {"classLabels": [1, 5]}, []),
    ("classes behind one layer", {**TINY, **LABELS}, {"classLabels": [1, 5]}, [CLASS]),
    ("classes beside the time", {**TINY, **LABELS, "class_embeddings_concat": True}, {"classLabels": [1, 5]}, [CLASS]),
    ("classes of a table beside the time", {**PLAIN, "num_class_embeds": 3, "class_embeddings_concat": True}, {"classLabels": [0]}, [CLASS]),
    ("Stable Diffusion XL", {**TINY, **SDXL}, {"textEmbeds": [1, 5], "timeIds": [1, 6]}, ["add_embedding.linear_1.weight"]),
    ("Stable Diffusion XL for two, with a guidance embedding", {
        **TINY, **SDXL, "time_cond_proj_dim": 4, "use_linear_projection": True,
    }, {"sample": [2, 2, 4, 4], "context": [2, 3, 6], "textEmbeds": [2, 5], "timeIds": [2, 6], "timestepCond": [2, 4]}, []),
    ("the pooled context added", {**TINY, "addition_embed_type": "text", "addition_embed_type_num_heads": 3}, {}, TEXT),
    ("the pooled context added before it is projected", {
        **TINY, "addition_embed_type": "text", "addition_embed_type_num_heads": 2, "encoder_hid_dim": 10,
    }, {"context": [1, 3, 10]}, [*TEXT, "encoder_hid_proj.weight"]),
    ("a projected context", {**TINY, "encoder_hid_dim": 5, "encoder_hid_dim_type": "text_proj"}, {"context": [1, 3, 5]}, ["encoder_hid_proj.bias"]),
    ("an upscaler: cross-attention alone, and classes", {
        **TINY, "only_cross_attention": True, "num_class_embeds": 5, "in_channels": 7,
    }, {"sample": [1, 7, 4, 4], "classLabels": [4]}, ["down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k.weight"]),
    ("cross-attention alone in one block", {
        **TINY, "down_block_types": ["CrossAttnDownBlock2D"] * 2, "up_block_types": ["CrossAttnUpBlock2D"] * 2, "only_cross_attention": [False, True],
    }, {}, ["up_blocks.0.attentions.0.transformer_blocks.0.attn1.to_v.weight"]),
    ("a time that scales and shifts", {**TINY, "resnet_time_scale_shift": "scale_shift"}, {}, ["mid_block.resnets.0.time_emb_proj.weight"]),
    ("a time that scales and shifts before self-attention", {**SELF, "resnet_time_scale_shift": "scale_shift"}, {}, []),
    ("other kernels", {**TINY, "conv_in_kernel": 1, "conv_out_kernel": 5}, {}, ["conv_out.weight"]),
    ("inpainting: nine channels", {**TINY, "in_channels": 9, "out_channels": 4}, {"sample": [1, 9, 4, 4]}, []),
    ("images in [0, 1]", {**PLAIN, "center_input_sample": True}, {}, []),
    ("waves at stored frequencies", {**TINY, "time_embedding_type": "fourier"}, {"timesteps": [0.25]}, []),
    ("waves at stored frequencies, sines first, of a width of their own, for classes too", {
        **PLAIN, "time_embedding_type": "fourier", "time_embedding_dim": 6, "flip_sin_to_cos": False, "class_embed_type": "timestep",
    }, {"timesteps": [0.25], "classLabels": [0.75]}, ["class_embedding.linear_1.weight"]),
    ("an embedding of another width", {**TINY, "time_embedding_dim": 10}, {}, []),
    ("activations behind the embedding and behind time", {
        **TINY, "time_embedding_act_fn": "gelu", "timestep_post_act": "mish", "num_class_embeds": 2,
    }, {"classLabels": [1]}, [CLASS]),
    ("GELU", {**TINY, "act_fn": "gelu"}, {}, []),
    ("Mish", {**PLAIN, "act_fn": "mish", "resnet_time_scale_shift": "scale_shift"}, {}, []),
    ("ReLU", {**SELF, "act_fn": "relu", "time_embedding_act_fn": "relu"}, {}, []),
    ("a divided middle", {**TINY, "mid_block_scale_factor": 1.41421}, {}, []),
    ("one group, and a large eps", {**TINY, "norm_num_groups": 1, "norm_eps": 0.1}, {}, []),
    ("resnets that change the resolution", RESNET, {}, ["down_blocks.0.downsamplers.0.conv1.weight", "up_blocks.0.upsamplers.0.time_emb_proj.weight"]),
    ("resnets that change the resolution, divided, with the bare time that scales and shifts", {
        **RESNET, "resnet_skip_time_act": True, "resnet_out_scale_factor": 1.5, "resnet_time_scale_shift": "scale_shift",
    }, {}, ["down_blocks.0.downsamplers.0.time_emb_proj.weight"]),
    ("context beside the pixels", SIMPLE, {}, ["mid_block.attentions.0.add_k_proj.weight", "down_blocks.1.attentions.0.to_k.weight"]),
    ("DeepFloyd IF", {
        **SIMPLE, "cross_attention_dim": 32, "cross_attention_norm": "group_norm", "resnet_time_scale_shift": "scale_shift", "act_fn": "gelu",
        "resnet_skip_time_act": True, "resnet_out_scale_factor": 1.41421, "mid_block_scale_factor": 1.41421, "time_embedding_act_fn": "gelu",
        "addition_embed_type": "text", "addition_embed_type_num_heads": 2, "encoder_hid_dim": 4, "only_cross_attention": [False, True],
    }, {"context": [1, 3, 4]}, ["mid_block.attentions.0.norm_cross.weight"]),
    ("context alone, normed by layers", {
        **SIMPLE, "block_out_channels": [4, 4], "cross_attention_dim": 4, "cross_attention_norm": "layer_norm", "only_cross_attention": True,
    }, {"context": [1, 3, 4]}, ["up_blocks.0.attentions.0.norm_cross.bias"]),
    ("context alone in the middle", {**SIMPLE, "mid_block_only_cross_attention": True}, {}, []),
    ("odd sides", TINY, {"sample": [1, 2, 5, 7]}, []),
    ("odd sides twice", {
        **PLAIN, "block_out_channels": [4, 4, 4], "down_block_types": ["DownBlock2D"] * 3, "up_block_types": ["UpBlock2D"] * 3,
    }, {"sample": [1, 2, 9, 6]}, []),
    ("residuals of a ControlNet", TINY, {"residuals": [[1, 4, 4, 4], [1, 4, 4, 4], [1, 4, 2, 2], [1, 8, 2, 2]], "middle": [1, 8, 2, 2]}, []),
]  # fmt: skip


def tensor(name, given):
    """Numbers as they are, and for a shape, waves."""
    if name == "timesteps" or (name == "classLabels" and len(given) == 1):
        return torch.tensor(given, dtype=torch.float64 if name == "timesteps" or isinstance(given[0], float) else None)
    return waves(f"input.{name}", given, 0, 1)


def numbers(t):
    flat = t.detach().reshape(-1)
    return {"shape": list(t.shape), "l1": flat.abs().sum().item(), "first": flat[:6].tolist()}


cases = []
for name, config, extra, names in CASES:
    model = fill(UNet2DConditionModel(**config))
    inputs = {"sample": [1, 2, 4, 4], "context": [1, 3, 6], "timesteps": [500], **extra}
    given = {key: tensor(key, value) for key, value in inputs.items() if key not in ("residuals",)}
    residuals = [waves(f"input.residuals.{i}", shape, 0, 1) for i, shape in enumerate(inputs.get("residuals", []))]
    added = {"text_embeds": given.get("textEmbeds"), "time_ids": given.get("timeIds")} if "textEmbeds" in given else None
    with mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
        out = model(
            given["sample"], given["timesteps"], given["context"], class_labels=given.get("classLabels"),
            timestep_cond=given.get("timestepCond"), added_cond_kwargs=added, down_block_additional_residuals=residuals or None,
            mid_block_additional_residual=given.get("middle"),
        ).sample  # fmt: skip
    loss = (out - waves("target", out.shape, 0, 1)).square().mean()
    loss.backward()
    own = dict(model.named_parameters())
    grads = {key: numbers(own[key].grad) for key in ["conv_in.weight", "time_embedding.linear_1.weight", *names]}
    params = sum(p.numel() for p in own.values())
    cases.append({"name": name, "config": config, "inputs": inputs, "params": params, "output": numbers(out), "loss": loss.item(), "grads": grads})

# What save_pretrained writes of one, as a user has it on disk.
saved = json.loads(UNet2DConditionModel(**CASES[2][1]).to_json_string())
note = "float64 outputs and gradients of diffusers by tools/golden/unet_configs.py"
OUT.write_text(json.dumps({"note": note, "saved": saved, "cases": cases}, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
