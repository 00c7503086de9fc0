"""Writes packages/models/src/files/adapter/adapter-files.golden.json: adapter files of whole pipelines, as diffusers saves them and as
kohya-ss's scripts and LyCORIS name them, and what UNet and text encoders give with them. Files of diffusers are loaded by diffusers
and PEFT again; the others are merged into the weights here, W + (alpha / rank)·up·down, since diffusers 0.42.1 loses the alphas of layers that
differ. Numbers are by the formula of waves.py under the names in the file.

Run from the repository root with diffusers (made with 0.42.1), peft (0.21.2), transformers (5.8, as later ones want a
peft that is not out) and torch (2.15) installed:
python tools/golden/adapter_files.py
"""

import base64
import io
import json
import tempfile
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.utils import convert_state_dict_to_diffusers, convert_state_dict_to_peft
from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from waves import parameter, summary, waves

OUT = Path(__file__).parents[2] / "packages/models/src/files/adapter/adapter-files.golden.json"
UNET = {"block_out_channels": [8, 8], "norm_num_groups": 4, "in_channels": 2, "out_channels": 2, "attention_head_dim": 2}
CONFIGS = {
    "sd": {
        **UNET,
        "layers_per_block": 1,
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
        "cross_attention_dim": 6,
    },
    "xl": {
        **UNET,
        "layers_per_block": 2,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
        "cross_attention_dim": 12,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 4,
        "projection_class_embeddings_input_dim": 30,
    },
}
TEXT = {
    "vocab_size": 16,
    "hidden_size": 6,
    "intermediate_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 5,
    "projection_dim": 6,
    "hidden_act": "quick_gelu",
    "bos_token_id": 0,
    "eos_token_id": 15,
    "pad_token_id": 1,
}
IDS = [[0, 5, 9, 15, 15]]
PIPELINES = {"sd": StableDiffusionPipeline, "xl": StableDiffusionXLPipeline}


def filled(model):
    """Every parameter by the formula, under its name without the first part that older transformers have; in float64."""
    model.double().eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(parameter(name.removeprefix("text_model."), tuple(p.shape)))
    return model


def models(family):
    made = {"unet": filled(UNet2DConditionModel(**CONFIGS[family])), "text_encoder": filled(CLIPTextModel(CLIPTextConfig(**TEXT)))}
    if family == "xl":
        made["text_encoder_2"] = filled(CLIPTextModelWithProjection(CLIPTextConfig(**TEXT)))
    return made


def outputs(family, made):
    width = CONFIGS[family]["cross_attention_dim"]
    sample, context = waves("input.sample", (1, 2, 4, 4), 0, 1), waves("input.ctx", (1, 3, width), 0, 1)
    added = {"text_embeds": waves("input.text", (1, 6), 0, 1), "time_ids": torch.tensor([[4.0, 4, 0, 0, 4, 4]], dtype=torch.float64)}
    out = {}
    with torch.no_grad():
        for name, model in made.items():
            if name == "unet":
                extra = {"added_cond_kwargs": added} if family == "xl" else {}
                out[name] = summary(model.double()(sample, torch.tensor([500.0]), context, **extra).sample)
            else:
                result = model.double()(torch.tensor(IDS), output_hidden_states=True)
                out[name] = summary(result.text_embeds if name == "text_encoder_2" else result.last_hidden_state)
    return out


def refilled(path):
    """The file with the numbers of the formula, and what it says."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        stored = {name: file.get_tensor(name) for name in file.keys()}
    alphas = {n: t.item() for n, t in stored.items() if n.endswith(".alpha")}
    tensors = {n: t.float() if n in alphas else parameter(n, tuple(t.shape)).float() for n, t in stored.items()}
    save_file(tensors, path, metadata)
    return {"metadata": metadata, "tensors": {n: list(t.shape) for n, t in tensors.items() if n not in alphas}, "alphas": alphas}


def by_diffusers(family, name, config, text_config, old=False, rename=lambda n: n, metadata=True):
    """A file that diffusers saves, with its outputs there."""
    trained = models(family)
    layers, kept = {}, {}
    for part, model in trained.items():
        model.add_adapter(LoraConfig(**(config if part == "unet" else text_config)))
        state = get_peft_model_state_dict(model)
        key = "unet_lora_layers" if part == "unet" else f"{part}_lora_layers"
        layers[key] = convert_state_dict_to_diffusers(state) if old else state
        if metadata:
            kept[f"{part}_lora_adapter_metadata"] = model.peft_config["default"].to_dict()
    with tempfile.TemporaryDirectory() as folder:
        PIPELINES[family].save_lora_weights(folder, **layers, **kept, weight_name="a.safetensors")
        path = f"{folder}/a.safetensors"
        with safe_open(path, "pt") as file:
            stored, said = {rename(n): file.get_tensor(n) for n in file.keys()}, file.metadata()
        save_file(stored, path, said)
        case = {"name": name, "family": family, **refilled(path)}
        state, alphas, said = PIPELINES[family].lora_state_dict(path, return_lora_metadata=True)
        made = models(family)
        PIPELINES[family].load_lora_into_unet(state, alphas, made["unet"], metadata=said)
        # By PEFT, as diffusers 0.42.1 with this transformers loses the part of a second text encoder (it warns).
        for part in list(made)[1:]:
            own = {k.removeprefix(f"{part}."): v for k, v in state.items() if k.startswith(f"{part}.")}
            own = convert_state_dict_to_peft(convert_state_dict_to_diffusers(own))
            made[part] = trained[part]
            result = set_peft_model_state_dict(made[part], own, adapter_name="default")
            assert not result.unexpected_keys, result.unexpected_keys
        return {**case, "outputs": outputs(family, made)}


def layer_of(made, part, name):
    """The module of a name that may begin with the first part that older transformers have."""
    model = made[part]
    try:
        return model.get_submodule(name)
    except AttributeError:
        return model.get_submodule(name.removeprefix("text_model."))


def merged(family, name, pairs, metadata=None):
    """A file of kohya-ss's or LyCORIS' names. pairs: stem -> (component, layer, {ending: shape}, alpha)."""
    stored = {}
    for stem, (_, _, shapes, alpha) in pairs.items():
        stored |= {f"{stem}.{ending}": torch.zeros(shape) for ending, shape in shapes.items()}
        if alpha is not None:
            stored[f"{stem}.alpha"] = torch.tensor(alpha)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/a.safetensors"
        save_file(stored, path, metadata or {})
        case = {"name": name, "family": family, **refilled(path)}
        with safe_open(path, "pt") as file:
            tensors = {n: file.get_tensor(n).double() for n in file.keys()}
    made = models(family)
    for stem, (part, layer, shapes, alpha) in pairs.items():
        module = layer_of(made, part, layer)
        get = lambda ending: tensors.get(f"{stem}.{ending}")  # noqa: E731
        with torch.no_grad():
            for ending, p in (("diff", module.weight), ("w_norm", module.weight), ("diff_b", module.bias), ("b_norm", module.bias)):
                if get(ending) is not None:
                    p.add_(get(ending).reshape(p.shape))
            down, up, mid = get("lora_down.weight"), get("lora_up.weight"), get("lora_mid.weight")
            if down is None:
                continue
            if mid is None:
                product = up.flatten(1) @ down.flatten(1)
            else:
                product = torch.einsum("nmkl,on,mi->oikl", mid, up.flatten(1), down.flatten(1))
            module.weight.add_((alpha / up.shape[1]) * product.reshape(module.weight.shape))
    return {**case, "outputs": outputs(family, made)}


def linear(part, layer, rank, inputs, out, alpha, tail=()):
    return (part, layer, {"lora_down.weight": [rank, inputs, *tail], "lora_up.weight": [out, rank, *tail]}, alpha)


def conv(part, layer, rank, inputs, out, alpha, k=3):
    return (part, layer, {"lora_down.weight": [rank, inputs, k, k], "lora_up.weight": [out, rank, 1, 1]}, alpha)


def kohya(name):
    return name.replace(".", "_")


ATTENTION = {"r": 3, "lora_alpha": 5, "target_modules": ["to_q", "to_k", "to_v", "to_out.0"], "alpha_pattern": {"attn2.to_q": 1}}
TEXT_LORA = {"r": 2, "lora_alpha": 3, "target_modules": ["q_proj", "k_proj", "v_proj", "out_proj"], "rank_pattern": {"layers.1.self_attn.v_proj": 1}}
PLAIN = {"r": 3, "lora_alpha": 3, "target_modules": ATTENTION["target_modules"]}
PLAIN_TEXT = {"r": 2, "lora_alpha": 2, "target_modules": TEXT_LORA["target_modules"]}


def oldest(name):
    """The names of diffusers' first form of LoRA."""
    for part in ("to_q", "to_k", "to_v"):
        name = name.replace(f".{part}.lora.", f".processor.{part}_lora.")
    name = name.replace(".to_out.0.lora.", ".processor.to_out_lora.")
    for part in ("q", "k", "v", "out"):
        name = name.replace(f".{part}_proj.lora_linear_layer.", f".to_{part}_lora.")
    return name


SD_BLOCK = "down_blocks.0.attentions.0.transformer_blocks.0"
XL_BLOCK = "down_blocks.1.attentions.1.transformer_blocks.0"
LAYER = "text_model.encoder.layers.1"

cases = [
    by_diffusers("sd", "saved by a pipeline of diffusers, with its text encoder", ATTENTION, TEXT_LORA),
    by_diffusers("xl", "saved by a pipeline of XL, with both text encoders", ATTENTION, TEXT_LORA),
    by_diffusers("sd", "of diffusers before PEFT", PLAIN, PLAIN_TEXT, old=True, metadata=False),
    by_diffusers("sd", "of diffusers' first form", PLAIN, PLAIN_TEXT, old=True, metadata=False, rename=oldest),
    merged(
        "xl",
        "of kohya-ss on XL, with SGM's names, convolutions and both text encoders",
        {
            "lora_unet_input_blocks_5_1_transformer_blocks_0_attn1_to_q": linear("unet", f"{XL_BLOCK}.attn1.to_q", 3, 8, 8, 1.0),
            "lora_unet_input_blocks_5_1_transformer_blocks_0_ff_net_0_proj": linear("unet", f"{XL_BLOCK}.ff.net.0.proj", 2, 8, 64, 4.0),
            "lora_unet_input_blocks_5_1_proj_in": linear("unet", "down_blocks.1.attentions.1.proj_in", 2, 8, 8, 1.5),
            "lora_unet_input_blocks_1_0_in_layers_2": conv("unet", "down_blocks.0.resnets.0.conv1", 2, 8, 8, 3.0),
            "lora_unet_input_blocks_1_0_emb_layers_1": linear("unet", "down_blocks.0.resnets.0.time_emb_proj", 2, 32, 8, 3.0),
            "lora_unet_input_blocks_3_0_op": conv("unet", "down_blocks.0.downsamplers.0.conv", 2, 8, 8, 1.0),
            "lora_unet_middle_block_1_proj_out": linear("unet", "mid_block.attentions.0.proj_out", 2, 8, 8, 1.0),
            "lora_unet_middle_block_2_out_layers_3": conv("unet", "mid_block.resnets.1.conv2", 1, 8, 8, 1.0),
            "lora_unet_output_blocks_2_2_conv": conv("unet", "up_blocks.0.upsamplers.0.conv", 2, 8, 8, 1.0),
            "lora_unet_output_blocks_4_0_skip_connection": conv("unet", "up_blocks.1.resnets.1.conv_shortcut", 2, 16, 8, 1.0, 1),
            "lora_unet_label_emb_0_2": linear("unet", "add_embedding.linear_2", 2, 32, 32, 1.0),
            "lora_unet_out_2": conv("unet", "conv_out", 1, 8, 2, 1.0),
            f"lora_te1_{kohya(LAYER)}_self_attn_q_proj": linear("text_encoder", f"{LAYER}.self_attn.q_proj", 2, 6, 6, 1.0),
            f"lora_te2_{kohya(LAYER)}_mlp_fc1": linear("text_encoder_2", f"{LAYER}.mlp.fc1", 2, 6, 8, 1.0),
        },
        {"ss_network_dim": "3", "ss_network_alpha": "1.0", "ss_network_module": "networks.lora"},
    ),
    merged(
        "sd",
        "of kohya-ss and LyCORIS on 1.5, with three factors, and shapes of other kinds of layers",
        {
            f"lora_unet_{kohya(SD_BLOCK)}_attn2_to_k": linear("unet", f"{SD_BLOCK}.attn2.to_k", 2, 6, 8, 1.0, (1, 1)),
            "lora_unet_down_blocks_0_attentions_0_proj_in": linear("unet", "down_blocks.0.attentions.0.proj_in", 2, 8, 8, 3.0),
            "lora_unet_down_blocks_0_attentions_0_proj_out": linear("unet", "down_blocks.0.attentions.0.proj_out", 2, 8, 8, 3.0, (1, 1)),
            "lora_unet_down_blocks_0_resnets_0_conv1": (
                "unet",
                "down_blocks.0.resnets.0.conv1",
                {"lora_down.weight": [2, 8, 1, 1], "lora_mid.weight": [2, 2, 3, 3], "lora_up.weight": [8, 2, 1, 1]},
                1.0,
            ),
            "lora_unet_up_blocks_0_resnets_0_conv2": linear("unet", "up_blocks.0.resnets.0.conv2", 2, 72, 8, 1.0),
            f"lora_te_{kohya(LAYER)}_self_attn_out_proj": linear("text_encoder", f"{LAYER}.self_attn.out_proj", 2, 6, 6, 1.0),
            f"lora_te_{kohya(LAYER)}_mlp_fc2": linear("text_encoder", f"{LAYER}.mlp.fc2", 1, 8, 6, 1.0),
        },
    ),
    merged(
        "sd",
        "of differences in full, of weights, biases and norms",
        {
            "lora_unet_conv_in": ("unet", "conv_in", {"diff": [8, 2, 3, 3], "diff_b": [8]}, None),
            "lora_unet_down_blocks_0_attentions_0_norm": ("unet", "down_blocks.0.attentions.0.norm", {"w_norm": [8], "b_norm": [8]}, None),
            f"lora_unet_{kohya(SD_BLOCK)}_attn1_to_q": ("unet", f"{SD_BLOCK}.attn1.to_q", {"diff": [8, 8]}, None),
            f"lora_unet_{kohya(SD_BLOCK)}_norm2": ("unet", f"{SD_BLOCK}.norm2", {"diff": [8], "diff_b": [8]}, None),
            f"lora_te_{kohya(LAYER)}_layer_norm1": ("text_encoder", f"{LAYER}.layer_norm1", {"w_norm": [6], "b_norm": [6]}, None),
        },
    ),
]



def by_torch():
    """A file of torch.save with PEFT's names, such as SPO's, and the UNet's output with it."""
    stem = f"{SD_BLOCK}.attn1.to_q"
    shapes = {f"{stem}.lora_A.weight": (2, 8), f"{stem}.lora_B.weight": (8, 2)}
    tensors = {name: parameter(name, shape).float() for name, shape in shapes.items()}
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    made = models("sd")
    a, b = (t.double() for t in tensors.values())
    with torch.no_grad():
        made["unet"].get_submodule(stem).weight.add_(b @ a)
    return {"base64": base64.b64encode(buffer.getvalue()).decode(), "outputs": {"unet": outputs("sd", made)["unet"]}}


golden = {
    "note": "Float64 outputs of diffusers and transformers by tools/golden/adapter_files.py",
    "configs": CONFIGS,
    "text": TEXT,
    "ids": IDS[0],
    "plain": {family: outputs(family, models(family)) for family in CONFIGS},
    "cases": cases,
    "torch": by_torch(),
}
OUT.write_text(json.dumps(golden, indent=1) + "\n")
