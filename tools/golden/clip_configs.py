"""Writes packages/models/src/clip/clip-configs.golden.json: what transformers' CLIP towers make of configurations of several kinds, with some
gradients of the mean square against a target, in float64: by the attention that has its softmax in that, too.

Run from the repository root with transformers (made with 5.24.0) and torch (2.15) installed: python tools/golden/clip_configs.py
"""

import json
from pathlib import Path

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

from waves import parameter, waves

OUT = Path(__file__).parents[2] / "packages/models/src/clip/clip-configs.golden.json"
TEXT = {
    "vocab_size": 20, "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 3, "max_position_embeddings": 7,
    "hidden_act": "quick_gelu", "projection_dim": 5, "bos_token_id": 18, "eos_token_id": 19, "pad_token_id": 19,
}  # fmt: skip
VISION = {
    "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 3, "image_size": 8, "patch_size": 4,
    "hidden_act": "quick_gelu", "projection_dim": 5,
}  # fmt: skip
IDS = [[18, 4, 19, 19, 19], [18, 7, 1, 0, 19]]
FULL = [[18, 4, 5, 6, 7, 8, 19]]

# Name, class, configuration, inputs (ids, or the number of images), and parameters whose gradients are looked at.
CASES = [
    ("text", CLIPTextModel, TEXT, IDS, ["text_model.embeddings.token_embedding.weight"]),
    ("text, projected, GELU", CLIPTextModelWithProjection, {**TEXT, "hidden_act": "gelu"}, IDS, ["text_projection.weight"]),
    ("text of one layer and one head", CLIPTextModel, {**TEXT, "num_hidden_layers": 1, "num_attention_heads": 1}, FULL, []),
    ("text with heads of an odd size", CLIPTextModelWithProjection, {**TEXT, "hidden_size": 15}, IDS, []),
    ("text with heads of one", CLIPTextModel, {**TEXT, "hidden_size": 3, "intermediate_size": 5, "hidden_act": "gelu"}, IDS, []),
    ("text whose end is 2, as in old files", CLIPTextModelWithProjection, {**TEXT, "eos_token_id": 2}, [[18, 2, 19, 2, 2], [18, 2, 1, 4, 19]], []),
    ("text whose end comes first", CLIPTextModelWithProjection, {**TEXT, "eos_token_id": 3, "layer_norm_eps": 1e-3}, [[3, 4, 3], [18, 3, 4]], []),
    ("text of three layers, wider than its inside", CLIPTextModel, {**TEXT, "num_hidden_layers": 3, "intermediate_size": 4}, [[18, 4, 19]], []),
    ("vision", CLIPVisionModelWithProjection, VISION, 2, ["visual_projection.weight", "vision_model.embeddings.class_embedding"]),
    ("vision of one patch", CLIPVisionModelWithProjection, {**VISION, "patch_size": 8, "hidden_act": "gelu"}, 1, []),
    ("vision of patches of one pixel", CLIPVisionModelWithProjection, {**VISION, "image_size": 3, "patch_size": 1, "num_hidden_layers": 1}, 1, []),
    ("vision of one channel and odd heads", CLIPVisionModelWithProjection, {
        **VISION, "num_channels": 1, "hidden_size": 9, "image_size": 10, "patch_size": 5, "layer_norm_eps": 1e-3, "projection_dim": 11,
    }, 1, ["vision_model.embeddings.patch_embedding.weight"]),
]  # fmt: skip


def own_name(name):
    """The name that the hub's files have, whatever the version of transformers has."""
    return name if name.startswith(("text_", "vision_", "visual_")) else f"text_model.{name}"


def fill(model):
    model.double()
    with torch.no_grad():
        for name, p in model.named_parameters():
            name = own_name(name)
            drawn = name.endswith(("token_embedding.weight", "position_embedding.weight", "class_embedding"))
            p.copy_(waves(name, tuple(p.shape), 0, 0.5) if drawn else parameter(name, tuple(p.shape)))
    return model.eval()


def numbers(t):
    flat = t.detach().reshape(-1)
    return {"shape": list(t.shape), "l1": flat.abs().sum().item(), "first": flat[:6].tolist()}


cases = []
for name, kind, config, inputs, names in CASES:
    vision = kind is CLIPVisionModelWithProjection
    model = fill(kind((CLIPVisionConfig if vision else CLIPTextConfig)(**config, attn_implementation="sdpa")))
    if vision:
        side = config["image_size"]
        given = {"pixel_values": waves("input.pixels", (inputs, config.get("num_channels", 3), side, side), 0, 1)}
    else:
        given = {"input_ids": torch.tensor(inputs)}
    out = model(**given, output_hidden_states=True)
    results = {"last": out.last_hidden_state, "first": out.hidden_states[0], "penultimate": out.hidden_states[-2]}
    pooled = out.image_embeds if vision else out.text_embeds if kind is CLIPTextModelWithProjection else out.pooler_output
    results["embeds" if pooled is not out.get("pooler_output") else "pooled"] = pooled
    loss = (pooled - waves("target", pooled.shape, 0, 1)).square().mean()
    loss.backward()
    own = {own_name(key): p for key, p in model.named_parameters()}
    layer = f"{'vision' if vision else 'text'}_model.encoder.layers.0.self_attn.q_proj.weight"
    grads = {key: numbers(own[key].grad) for key in [layer, *names]}
    cases.append({
        "name": name, "class": kind.__name__, "config": config, "inputs": inputs, "params": sum(p.numel() for p in own.values()),
        "outputs": {key: numbers(t) for key, t in results.items()}, "grads": grads,
    })  # fmt: skip

note = "float64 outputs and gradients of transformers by tools/golden/clip_configs.py"
OUT.write_text(json.dumps({"note": note, "cases": cases}, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
