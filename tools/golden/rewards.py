"""Writes the golden files of the rewards that have networks: scores of tiny ones and their gradients by the pixels, in float64.
packages/rewards/src/clip-rewards.golden.json, aesthetic.golden.json and image-reward/image-reward.golden.json.

The values were first made by the field's own code (OpenCLIP, ImageReward's BLIP); this makes them again, to the nine digits that files keep.
Run from the repository root with torch (2.15), transformers (5.24.0) and open_clip_torch (3.3.0) installed: python tools/golden/rewards.py
"""

import json
from pathlib import Path

import torch
import transformers

from clip_pixels import normalised, square
from reward_models import Head, ImageReward, aesthetic, clip, clip_cosine, open_clip, unit
from waves import parameter, waves

OUT = Path(__file__).parents[2] / "packages/rewards/src"
TOWER = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_act": "gelu"}
TEXT = {"hidden_size": 32, "intermediate_size": 64, **TOWER, "vocab_size": 547, "max_position_embeddings": 77, "eos_token_id": 546}
VISION = {"hidden_size": 48, "intermediate_size": 96, **TOWER, "image_size": 28, "patch_size": 7}
WIDTH = 24
IDS = [[545, 320, 529, 525, 513, 523, 519, 546], [545, 538, 524, 542, 546]]
MADE = f"torch {torch.__version__} and transformers {transformers.__version__}"


def picture(name):
    return waves(name, (1, 3, 40, 52), 0.5, 0.45)


def fill(named):
    """Gives parameters their numbers by the names of their file: tables of CLIP are larger than waves.parameter has them."""
    for name, p in named:
        table = name.endswith(("embedding.weight", "class_embedding"))
        if name == "logit_scale":
            p.data = torch.tensor(2.0, dtype=torch.float64)
        else:
            p.data = waves(name, tuple(p.shape), 0, 0.5) if table else parameter(name, tuple(p.shape))


def nine(x):
    return float(f"{x.detach().item() if isinstance(x, torch.Tensor) else x:.9g}")


def rounded(tensor):
    return [nine(v) for v in tensor.flatten().tolist()]


def gradient(score, more=()):
    """Of a score by its picture, in a few numbers."""
    image = picture("input.image").requires_grad_()
    [g] = torch.autograd.grad(score(image).sum(), image)
    found = {"shape": list(g.shape[1:]), "sum": nine(g.sum()), "absMean": nine(g.abs().mean()), "l1": nine(g.abs().sum()), "first": rounded(g.flatten()[:8])}
    return {key: value for key, value in found.items() if key in ("sum", "l1", "first") or key in more}


def padded(pad, rows=IDS):
    return torch.tensor([[*row, *[pad] * (9 - len(row))] for row in rows])


def write(path, about, **values):
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in {"about": about, **values}.items())
    (OUT / path).write_text(f"{{\n{lines}\n}}\n")


def clip_rewards():
    one, two = picture("input.image"), picture("input.image2")
    model = clip(TEXT, VISION, WIDTH).double()
    fill(model.named_parameters())
    ids, scale = padded(546), model.logit_scale.exp()
    pairs = torch.cat([one, two, one, two]), ids[[0, 0, 1, 1]]
    pick = {
        "scores": rounded(scale * clip_cosine(model, *pairs)),
        "gradient": gradient(lambda image: scale * clip_cosine(model, image, ids[:1]), ["shape"]),
    }
    vision = {"image_size": 28, "layers": 2, "width": 48, "head_width": 12, "patch_size": 7, "mlp_ratio": 2}
    other = open_clip(WIDTH, vision, {"context_length": 77, "vocab_size": 547, "width": 32, "heads": 4, "layers": 2, "mlp_ratio": 2}).double()
    other.attn_mask = other.attn_mask.double()
    fill(other.named_parameters())
    ids = torch.nn.functional.pad(padded(0), (0, 77 - 9))

    def score(fit, sign=1, base=0):
        return lambda image: base + sign * clip_cosine(other, image, ids[: len(image)], fit)

    both = torch.cat([one, one])
    hps = {
        "shapes": {name: list(p.shape) for name, p in other.named_parameters()},
        "scores": rounded(score("pad")(both)),
        "gradient": gradient(score("pad"), ["shape"]),
        "stretched": {"scores": rounded(score("stretch")(both)), "gradientOfOneMinus": gradient(score("stretch", -1, 1), ["shape"])},
    }
    about = f"PickScore on a tiny CLIP of transformers and HPS v2.1 on a tiny one of OpenCLIP, by tools/golden/rewards.py with {MADE}"
    text, vision = ({**tower, "projection_dim": WIDTH} for tower in (TEXT, VISION))
    write("clip-rewards.golden.json", about, text=text, vision=vision, tokenIds=IDS, pickScore=pick, hps=hps)
    return model


def aesthetic_score(model):
    head = Head(WIDTH).double().eval()
    fill(head.named_parameters())
    bias = head(torch.zeros(1, WIDTH, dtype=torch.float64))
    weight = head(torch.eye(WIDTH, dtype=torch.float64)) - bias
    embedding = unit(model.visual_projection(model.vision_model(normalised(square(picture("input.image"), 28, "crop"))).pooler_output))
    write(
        "aesthetic.golden.json", f"The LAION aesthetic predictor on a tiny CLIP, by tools/golden/rewards.py with {MADE}",
        vision={**VISION, "projection_dim": WIDTH},
        collapsedWeight={"sum": nine(weight.sum()), "absMean": nine(weight.abs().mean()), "first8": rounded(weight[:8])},
        collapsedBias=nine(bias), aesthetic=nine(aesthetic(model, head, picture("input.image"))),
        embedNormalized={"shape": list(embedding.shape), "sum": nine(embedding.sum()), "absMean": nine(embedding.abs().mean()), "first": rounded(embedding[0, :8])},
        gradient=gradient(lambda image: aesthetic(model, head, image), ["shape", "absMean"]),
    )


def image_reward():
    vision = {"hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 28, "patch_size": 7}
    text = {"vocab_size": 60, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 48, "max_position_embeddings": 64}
    model = ImageReward(vision, text).double().eval()
    for name, p in model.published().items():
        p.data = parameter(name, tuple(p.shape))
    rows = [[2, 7, 11, 30, 9, 3], [2, 15, 21, 3]]
    ids = torch.tensor([[*row, *[0] * (12 - len(row))] for row in rows])
    both = picture("input.image").repeat(2, 1, 1, 1)
    write(
        "image-reward/image-reward.golden.json", f"ImageReward at a tiny size, by tools/golden/rewards.py with {MADE}; parameters by the names of its file",
        tokenIds=ids.tolist(), shapes={name: list(p.shape) for name, p in model.published().items()},
        scores=rounded(model(both, ids)), gradient=gradient(lambda image: model(image, ids[:1])),
    )


aesthetic_score(clip_rewards())
image_reward()
