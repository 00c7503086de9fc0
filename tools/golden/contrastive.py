"""Writes packages/pipelines/src/training/contrastive/contrastive-loss.golden.json: CLIP's loss and its gradients by
torch's autograd.

Run from the repository root with torch (made with 2.15) installed: python tools/golden/contrastive.py
"""

import json
import math
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy, normalize

OUT = Path(__file__).parents[2] / "packages/pipelines/src/training/contrastive/contrastive-loss.golden.json"
BATCH, WIDTH = 6, 5

generator = torch.Generator().manual_seed(21)
# Numbers that float32 holds exactly, computed with in float64. Texts are near their pictures, but for one.
images = torch.randn(BATCH, WIDTH, generator=generator)
texts = 0.8 * images + 0.9 * torch.randn(BATCH, WIDTH, generator=generator)
images, texts = images.double(), 2 * texts.double()


def case(name, scale, captions):
    scale = torch.tensor(scale, dtype=torch.float32).item()
    same = torch.tensor([[a == b for b in captions] for a in captions])
    excluded = same & ~torch.eye(BATCH, dtype=torch.bool)
    leaves = [images.clone().requires_grad_(), texts.clone().requires_grad_(), torch.tensor(scale, dtype=torch.float64, requires_grad=True)]
    logits = normalize(leaves[0]) @ normalize(leaves[1]).T * leaves[2].clamp(max=math.log(100)).exp()
    logits = logits.masked_fill(excluded, -math.inf)
    labels = torch.arange(BATCH)
    loss = (cross_entropy(logits, labels) + cross_entropy(logits.T, labels)) / 2
    accuracy = sum((z.argmax(dim=1) == labels).double().mean() for z in (logits, logits.T)) / 2
    gradients = torch.autograd.grad(loss, leaves)
    return {
        "name": name, "logitScale": scale, "captions": captions, "loss": loss.item(), "accuracy": accuracy.item(),
        "scale": min(math.exp(scale), 100), "gradients": [g.flatten().tolist() for g in gradients],
    }  # fmt: skip


golden = {
    "torch": torch.__version__.split("+")[0],
    "images": images.flatten().tolist(),
    "texts": texts.flatten().tolist(),
    "cases": [
        case("all captions differ", math.log(1 / 0.07), [0, 1, 2, 3, 4, 5]),
        case("two captions come again", 1.5, [0, 1, 0, 2, 1, 0]),
        case("nothing differs", 1.0, [0, 0, 0, 0, 0, 0]),
        case("a logit scale above ln 100", 6.0, [0, 1, 2, 3, 4, 5]),
    ],
}
lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
