"""Writes packages/models/src/files/adapter/lora-names.golden.json: the names that kohya-ss's scripts have for the layers of Stable
Diffusion 1.5 and XL, and what diffusers makes of them, in its old names and in PEFT's. Names do not depend on sizes, so the models are
narrow; of repeated transformer blocks and text layers the first is listed.

Run from the repository root with diffusers (made with 0.42.1), peft (0.21.2), transformers and torch (2.15) installed:
python tools/golden/lora_names.py
"""

import json
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.utils import convert_state_dict_to_peft, convert_unet_state_dict_to_peft

OUT = Path(__file__).parents[2] / "packages/models/src/files/adapter/lora-names.golden.json"
SIZES = {"norm_num_groups": 4, "attention_head_dim": 4, "cross_attention_dim": 8}
SD15 = {"block_out_channels": [8, 16, 24, 24], **SIZES}
SDXL = {
    "block_out_channels": [8, 16, 24],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "transformer_layers_per_block": [1, 2, 10],
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 56,
    **SIZES,
}
TEXT_LAYERS = [f"text_model.encoder.layers.0.{n}" for n in [*(f"self_attn.{p}_proj" for p in ("q", "k", "v", "out")), "mlp.fc1", "mlp.fc2"]]
RESNET = {"conv1": "in_layers.2", "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}


def trained(unet):
    """What kohya-ss's LoRA is on with a rank for convolutions, but for the layers of time."""
    return [n for n, m in unet.named_modules() if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d)) and "time" not in n and "add_emb" not in n]


def sgm(name, layers):
    """SGM's name of a layer, with `layers` resnets in each block on the way down."""
    if name in ("conv_in", "conv_out"):
        return {"conv_in": "input_blocks.0.0", "conv_out": "out.2"}[name]
    block, *rest = name.split(".")
    if block == "mid_block":
        kind, at, *inner = rest
        return ".".join(["middle_block", "1", *inner] if kind == "attentions" else ["middle_block", str(2 * int(at)), RESNET[inner[0]]])
    at, kind, j, *inner = rest
    if block == "down_blocks":
        number = 1 + int(at) * (layers + 1) + (int(j) if kind != "downsamplers" else layers)
        tail = {"resnets": ["0", *(RESNET.get(n, n) for n in inner)], "attentions": ["1", *inner], "downsamplers": ["0", "op"]}[kind]
        return ".".join(["input_blocks", str(number), *tail])
    number = int(at) * (layers + 1) + (int(j) if kind != "upsamplers" else layers)
    tail = {"resnets": ["0", *(RESNET.get(n, n) for n in inner)], "attentions": ["1", *inner], "upsamplers": ["2", *inner]}[kind]
    return ".".join(["output_blocks", str(number), *tail])


def old_names(pipeline, unet, stems):
    """diffusers' old names of the A of pairs of kohya-ss."""
    pairs = {f"{stem}.lora_{end}.weight": torch.zeros(1, 1) for stem in stems for end in ("down", "up")}
    state, _ = pipeline.lora_state_dict(pairs, unet_config=unet.config)
    return [k for k in state if ".down." in k]


def rows(pipeline, unet, names, texts):
    """[kohya's stem, diffusers' old name of A, PEFT's name of A] of each layer, by diffusers' own conversion."""
    out = []
    for stem in [f"lora_unet_{n.replace('.', '_')}" for n in names]:
        [old] = old_names(pipeline, unet, [stem])
        [new] = convert_unet_state_dict_to_peft({old.removeprefix("unet."): 0})
        out.append([stem, old, f"unet.{new}"])
    for prefix in texts:
        stems = [f"{prefix}_{n.replace('.', '_')}" for n in TEXT_LAYERS]
        old = old_names(pipeline, unet, stems)
        component = old[0].split(".")[0]
        new = convert_state_dict_to_peft({k.removeprefix(f"{component}."): 0 for k in old})
        out += [[stem, o, f"{component}.{n}"] for stem, o, n in zip(stems, old, new, strict=True)]
    return out


sd15, sdxl = UNet2DConditionModel(**SD15), UNet2DConditionModel(**SDXL)
shown = [n for n in trained(sdxl) if "transformer_blocks" not in n or "transformer_blocks.0." in n]
golden = {
    "note": "Names by diffusers' converters, tools/golden/lora_names.py",
    "sd15": {"config": SD15, "count": len(trained(sd15)), "rows": rows(StableDiffusionPipeline, sd15, trained(sd15), ["lora_te"])},
    "sdxl": {
        "config": SDXL,
        "count": len(trained(sdxl)),
        "rows": rows(StableDiffusionXLPipeline, sdxl, [sgm(n, 2) for n in shown], ["lora_te1", "lora_te2"]),
    },
}
text = json.dumps(golden, indent=1)
OUT.write_text(text.replace(",\n     ", ", ").replace("[\n     ", "[").replace("\n    ]", "]") + "\n")
