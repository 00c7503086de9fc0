"""Writes packages/models/src/files/adapter/adapters.golden.json: adapters as diffusers and PEFT save them, and what a UNet gives with
them when diffusers and PEFT have loaded them again; and which layers PEFT's patterns match.

Run from the repository root with diffusers (made with 0.42.1), peft (0.21.2), transformers and torch (2.15) installed:
python tools/golden/adapters.py
"""

import json
import tempfile
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from peft.utils.other import get_pattern_key
from safetensors import safe_open
from safetensors.torch import save_file

from waves import fill, parameter, summary, waves

OUT = Path(__file__).parents[2] / "packages/models/src/files/adapter/adapters.golden.json"
CONFIG = {
    "block_out_channels": [8],
    "norm_num_groups": 4,
    "in_channels": 2,
    "out_channels": 2,
    "layers_per_block": 1,
    "mid_block_type": None,
    "down_block_types": ["CrossAttnDownBlock2D"],
    "up_block_types": ["UpBlock2D"],
    "cross_attention_dim": 6,
    "attention_head_dim": 2,
}
SHAPES = {
    "r": 4,
    "lora_alpha": 6,
    "target_modules": ["to_q", "to_v", "conv1"],
    "rank_pattern": {"attn2.to_q": 2, "^down_blocks.0.resnets.0.conv1": 1},
    "alpha_pattern": {"attn1.to_v": 1, r"up_blocks\.\d+\.resnets\.[01]\.conv1": 9, "(attn1|attn3).to_q": 0.5},
}


def base():
    return fill(UNet2DConditionModel(**CONFIG))


def forward(unet):
    with torch.no_grad():
        sample, context = waves("input.sample", (1, 2, 4, 4), 0, 1), waves("input.ctx", (1, 3, 6), 0, 1)
        return summary(unet.double()(sample, torch.tensor([500.0]), context).sample)


def refilled(path):
    """The file with its numbers replaced by those of the formula, and what it says."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        shapes = {name: file.get_tensor(name).shape for name in file.keys()}
        tensors = {n: file.get_tensor(n).float() if n.endswith(".alpha") else parameter(n, tuple(s)).float() for n, s in shapes.items()}
    save_file(tensors, path, metadata)
    alphas = {name: t.item() for name, t in tensors.items() if name.endswith(".alpha")}
    return {"metadata": metadata, "tensors": {n: list(s) for n, s in shapes.items() if n not in alphas}, "alphas": alphas}


def strengths(model):
    return {
        name.removeprefix("base_model.model."): m.scaling[next(iter(m.scaling))]
        for name, m in model.named_modules()
        if getattr(m, "scaling", None)
    }


def loaded_by_diffusers(path, **options):
    state, alphas, metadata = StableDiffusionPipeline.lora_state_dict(path, return_lora_metadata=True)
    unet = base()
    unet.load_lora_adapter(state, network_alphas=alphas, metadata=metadata, adapter_name="a", **options)
    return {"output": forward(unet), "strengths": strengths(unet)}


cases = []
with tempfile.TemporaryDirectory() as folder:
    # A model's own adapter: configuration in the header as it is.
    unet = base()
    unet.add_adapter(LoraConfig(**SHAPES), adapter_name="a")
    unet.save_lora_adapter(folder, adapter_name="a", weight_name="own.safetensors")
    path = f"{folder}/own.safetensors"
    cases.append({"name": "saved by a model of diffusers", **refilled(path), **loaded_by_diffusers(path, prefix=None)})

    # A pipeline's adapter: names and fields behind "unet.", alpha / sqrt(rank).
    unet = base()
    unet.add_adapter(LoraConfig(**SHAPES, use_rslora=True))
    StableDiffusionPipeline.save_lora_weights(
        folder,
        unet_lora_layers=convert_state_dict_to_diffusers(get_peft_model_state_dict(unet)),
        unet_lora_adapter_metadata=unet.peft_config["default"].to_dict(),
        weight_name="pipeline.safetensors",
    )
    path = f"{folder}/pipeline.safetensors"
    cases.append({"name": "saved by a pipeline of diffusers", **refilled(path), **loaded_by_diffusers(path, prefix="unet")})

    # PEFT's own files: adapter_config.json beside.
    get_peft_model(base(), LoraConfig(**SHAPES)).save_pretrained(folder)
    path = f"{folder}/adapter_model.safetensors"
    said = refilled(path)
    model = PeftModel.from_pretrained(base(), folder)
    config = json.loads(Path(f"{folder}/adapter_config.json").read_text())
    cases.append({"name": "saved by PEFT", **said, "config": config, "output": forward(model), "strengths": strengths(model)})

    # kohya-ss's names, an alpha beside each pair. diffusers 0.42.1 does not find the layers of these alphas again (it warns), so
    # they are given to it as patterns.
    layers = {
        "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q": ([4, 8], [8, 4], 1.0),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k": ([2, 6], [8, 2], 4.0),
        "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0": ([4, 8], [8, 4], 3.0),
    }
    stored, peft = {}, {}
    for layer, (down, up, alpha) in layers.items():
        stem = f"lora_unet_{layer.replace('.', '_')}"
        stored[f"{stem}.lora_down.weight"], stored[f"{stem}.lora_up.weight"] = torch.zeros(down), torch.zeros(up)
        stored[f"{stem}.alpha"] = torch.tensor(alpha)
        peft[f"{layer}.lora_A.weight"] = parameter(f"{stem}.lora_down.weight", down).float()
        peft[f"{layer}.lora_B.weight"] = parameter(f"{stem}.lora_up.weight", up).float()
    path = f"{folder}/kohya.safetensors"
    save_file(stored, path, {"ss_network_alpha": "3.0", "ss_network_dim": "4"})
    unet = base()
    ranks = {layer: down[0] for layer, (down, _, _) in layers.items()}
    config = {"r": 4, "rank_pattern": ranks, "alpha_pattern": {layer: alpha for layer, (_, _, alpha) in layers.items()}, "target_modules": list(layers)}
    unet.load_lora_adapter(peft, prefix=None, metadata=config, adapter_name="a")
    cases.append({"name": "with the names of kohya-ss", **refilled(path), "output": forward(unet), "strengths": strengths(unet)})

NAMES = ["conv_in", "down_blocks.0.attentions.1.attn1.to_q", "down_blocks.10.attentions.1.attn2.to_out.0", "up_blocks.1.to_q", "a_b.to_qx"]
KEYS = [
    "to_q", "^to_q", "^conv_in", "conv_in$", "attn1.to_q", "attn.to_q", "attn..to_q", r"attn\d\.to_[qk]", r"down_blocks\.\d+.*to_q", "0", "to_out.0",
    "(attn1|attn2).to_(q|out.0)", ".*", "down_blocks.0.*", "attn1|to_q", "to_q?", "to_qx?", r"\w+", "[^a]_b.*", r"down_blocks\.1?0\..+", "",
]  # fmt: skip
patterns = {key: [name for name in NAMES if get_pattern_key([key], name) == key and key != name or key == name] for key in KEYS}

OUT.write_text(
    json.dumps(
        {
            "note": "Float64 outputs of diffusers and PEFT by tools/golden/adapters.py",
            "config": CONFIG,
            "plain": forward(base()),
            "cases": cases,
            "names": NAMES,
            "patterns": patterns,
        },
        indent=1,
    )
    + "\n"
)
