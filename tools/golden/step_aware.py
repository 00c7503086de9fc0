"""Writes packages/rewards/src/step-aware.golden.json: the step-aware preference model of SPO on a tiny CLIP, in float64. The CLIP is
transformers' own; hooks add what RockeyCoss/SPO's time_conditioned_clip.py adds to it, under its names.

Run from the repository root with torch (made with 2.15.0) and transformers (5.24.0) installed: python tools/golden/step_aware.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPConfig, CLIPModel

from waves import parameter, waves, waves_of_time

ROOT = Path(__file__).parents[2] / "packages/rewards/src"
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073], dtype=torch.float64)[:, None, None]
DEVIATION = torch.tensor([0.26862954, 0.26130258, 0.27577711], dtype=torch.float64)[:, None, None]


class Model(nn.Module):
    """What the published files hold: a CLIP below `model`, with modulations in its vision tower."""

    def __init__(self, config):
        super().__init__()
        self.model = clip = CLIPModel(config)
        width = config.vision_config.hidden_size
        tower = clip.vision_model
        clip.t_embedder = nn.Module()
        clip.t_embedder.mlp = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        tower.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        tower.post_layernorm.register_forward_hook(lambda _, __, y: self.moved(y, self.parts(tower, 2)))
        for layer in tower.encoder.layers:
            layer.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

            def hook(on, change, layer=layer):
                on.register_forward_hook(lambda _, __, y: change(y, [p.unsqueeze(1) for p in self.parts(layer, 6)]))

            hook(layer.layer_norm1, lambda y, p: self.moved(y, p[0:2]))
            hook(layer.self_attn, lambda y, p: (y[0] * p[2], y[1]))
            hook(layer.layer_norm2, lambda y, p: self.moved(y, p[3:5]))
            hook(layer.mlp, lambda y, p: y * p[5])

    def parts(self, module, count):
        return module.adaLN_modulation(self.time).chunk(count, dim=1)

    @staticmethod
    def moved(y, shift_and_scale):
        shift, scale = shift_and_scale
        return y * (1 + scale) + shift

    def score(self, images, ids, timesteps):
        """Of images in [0, 1]; clamping and normalising as SPO does with those in [-1, 1]."""
        side = self.model.config.vision_config.image_size
        scale = side / min(images.shape[-2:])
        size = [int(n * scale + 0.5) for n in images.shape[-2:]]
        x = F.interpolate(images * 2 - 1, size=size, mode="bicubic", align_corners=False)
        top, left = [int(round((n - side) / 2.0)) for n in size]
        x = (x[..., top : top + side, left : left + side] / 2 + 0.5).clamp(0, 1)
        self.time = self.model.t_embedder.mlp(waves_of_time(timesteps, 256, True, 0))
        seen = self.model.get_image_features(pixel_values=(x - MEAN) / DEVIATION).pooler_output
        told = self.model.get_text_features(input_ids=ids).pooler_output
        return self.model.logit_scale.exp() * F.cosine_similarity(seen, told, eps=0)


def fill(model):
    model.double()
    with torch.no_grad():
        for name, p in model.named_parameters():
            table = name.endswith("embedding.weight") or name.endswith("class_embedding")
            value = waves(name, tuple(p.shape), 0, 0.5) if table else parameter(name, tuple(p.shape))
            p.copy_(torch.full((), 1.5) if name.endswith("logit_scale") else value)
    return model.eval()


def main():
    base = json.loads((ROOT / "clip-rewards.golden.json").read_text())
    config = CLIPConfig(
        text_config=base["text"], vision_config=base["vision"], projection_dim=base["text"]["projection_dim"],
    )
    config.text_config._attn_implementation = config.vision_config._attn_implementation = "eager"
    model = fill(Model(config))
    ids = torch.full((2, 9), 546)
    for row, tokens in zip(ids, base["tokenIds"]):
        row[: len(tokens)] = torch.tensor(tokens)
    # Contrast that bicubic weights take out of [0, 1], and a height that rounds up.
    pictures = torch.cat([waves(f"input.{name}", (1, 3, 55, 40), 0.5, 0.52) for name in ("image", "image2")])
    pictures.requires_grad_(True)
    timesteps = [0.0, 901.0]
    scores = model.score(pictures, ids, torch.tensor(timesteps, dtype=torch.float64))
    (grad,) = torch.autograd.grad(scores.sum(), pictures)
    flat = grad.flatten()
    steepest = flat.abs().topk(8).indices
    text = json.dumps({
        "about": "SPO's step-aware preference model on a tiny CLIP of transformers 5.24.0, in float64 by torch 2.15.0; "
                 "parameters and pictures by formula (tools/golden/step_aware.py).",
        "logitScale": 1.5, "timesteps": timesteps, "scores": [float(f"{s:.9g}") for s in scores.tolist()],
        "gradient": {
            "sum": float(f"{flat.sum():.9g}"), "l1": float(f"{flat.abs().sum():.9g}"), "at": steepest.tolist(),
            "values": [float(f"{v:.9g}") for v in flat[steepest].tolist()],
        },
        "shapes": {name: list(p.shape) for name, p in model.named_parameters()},
    })
    (ROOT / "step-aware.golden.json").write_text(text.replace('], "model', '],\n    "model') + "\n")


main()
