"""Writes packages/npo/src/objectives/diffusion-dpo.golden.json: Diffusion-DPO's loss and gradients by torch's autograd.

Run from the repository root with torch (made with 2.15) installed: python tools/golden/dpo.py
"""

import json
from pathlib import Path

import torch
from torch.nn.functional import logsigmoid, silu

OUT = Path(__file__).parents[2] / "packages/npo/src/objectives/diffusion-dpo.golden.json"
BATCH, WIDTH, CLASSES, HIDDEN = 3, 4, 3, 6

generator = torch.Generator().manual_seed(20)


def draw(*shape, scale=1.0):
    # Numbers that float32 holds exactly, computed with in float64.
    return (torch.randn(*shape, generator=generator) * scale).double()


def network():
    return {
        "fc1.weight": draw(HIDDEN, WIDTH + 1 + CLASSES, scale=0.4),
        "fc1.bias": draw(HIDDEN, scale=0.4),
        "fc2.weight": draw(WIDTH, HIDDEN, scale=0.4),
        "fc2.bias": draw(WIDTH, scale=0.4),
    }


def predict(weights, x, timesteps, condition):
    features = torch.cat([x, timesteps[:, None] / 1000, condition], dim=1)
    hidden = silu(features @ weights["fc1.weight"].T + weights["fc1.bias"])
    return hidden @ weights["fc2.weight"].T + weights["fc2.bias"]


chosen, rejected, noise = draw(BATCH, WIDTH), draw(BATCH, WIDTH), draw(BATCH, WIDTH)
timesteps = torch.tensor([17.0, 503.0, 961.0], dtype=torch.float64)
condition = torch.eye(CLASSES, dtype=torch.float64)[[2, 0, 1]]
model, reference = network(), network()
alpha_bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float32), 0).double()[timesteps.long()][:, None]


def errors(weights, clean):
    x = alpha_bar.sqrt() * clean + (1 - alpha_bar).sqrt() * noise
    return (predict(weights, x, timesteps, condition) - noise).square().mean(dim=1)


def case(beta, swap=False, halved=True):
    first, second = (rejected, chosen) if swap else (chosen, rejected)
    leaves = {name: w.clone().requires_grad_() for name, w in model.items()}
    own = errors(leaves, first) - errors(leaves, second)
    frozen = (errors(reference, first) - errors(reference, second)).detach()
    logit = -(beta / 2 if halved else beta) * (own - frozen)
    loss = -logsigmoid(logit).mean()
    grads = torch.autograd.grad(loss, list(leaves.values()))
    return {
        "beta": beta,
        "swap": swap,
        "halved": halved,
        "logits": logit.tolist(),
        "loss": loss.item(),
        "accuracy": ((logit > 0).double() + 0.5 * (logit == 0).double()).mean().item(),
        "error": ((errors(leaves, first) + errors(leaves, second)) / 2).mean().item(),
        "referenceError": ((errors(reference, first) + errors(reference, second)) / 2).mean().item(),
        "gradients": {name: g.flatten().tolist() for name, g in zip(leaves, grads)},
    }


golden = {
    "torch": torch.__version__.split("+")[0],
    "shapes": {name: list(w.shape) for name, w in model.items()},
    "model": {name: w.flatten().tolist() for name, w in model.items()},
    "reference": {name: w.flatten().tolist() for name, w in reference.items()},
    "chosen": chosen.flatten().tolist(),
    "rejected": rejected.flatten().tolist(),
    "noise": noise.flatten().tolist(),
    "timesteps": timesteps.tolist(),
    "condition": condition.flatten().tolist(),
    # The last one is far outside the range where exp(z) is finite in float32.
    "cases": [case(8), case(8, swap=True), case(4, halved=False), case(5000)],
}
lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items()]
OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
