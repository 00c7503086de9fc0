"""Writes packages/npo/src/objectives/diffusion-kto.golden.json: losses of Diffusion-KTO with every utility that jacklishufan/diffusion-kto
has, from a reference point above 0, and the slopes by each sample's predictions, in float64.

Run from the repository root with torch (made with 2.15.0) installed: python tools/golden/kto.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

ROOT = Path(__file__).parents[2] / "packages/npo/src/objectives"
BETA, DESIRABLE, UNDESIRABLE = 60.0, 1.0, 1.3
UTILITIES = {
    "kahneman-tversky": lambda g, y: torch.sigmoid(y * g),
    "loss-averse": lambda g, y: F.logsigmoid(y * g),
    "risk-seeking": lambda g, y: -F.logsigmoid(-y * g),
    "risk-seeking-1": lambda g, y: -y * F.logsigmoid(-g),
    "risk-seeking-2": lambda g, y: y * torch.exp(g / 100) - 1,
}


def main():
    fixture = json.loads((ROOT / "testing/objectives.golden.json").read_text())["fixtures"]["pair_eps"]
    rows = {name: torch.tensor(values, dtype=torch.float64).reshape(3, 32) for name, values in fixture.items()}
    target = torch.cat([rows["target"], rows["target"]])
    # The two networks change places, so that the model is the better one and the reference point is above 0.
    net = torch.cat([rows["ref_w"], rows["ref_l"]]).requires_grad_(True)
    ref = torch.cat([rows["net_w"], rows["net_l"]])
    labels = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    out = {}
    for name, utility in UTILITIES.items():
        gain = ((ref - target) ** 2).mean(1) - ((net - target) ** 2).mean(1)
        offset = gain.mean().clamp(min=0).detach()
        weight = DESIRABLE * labels + UNDESIRABLE * (1 - labels)
        loss = (weight * (1 - utility(BETA * (gain - offset), 2 * labels - 1))).mean()
        (grad,) = torch.autograd.grad(loss, net)
        out[name] = {
            "loss": float(f"{loss:.12g}"), "offset": float(f"{offset:.12g}"),
            "slopes": [float(f"{v:.12g}") for v in grad.sum(1).tolist()],
        }
    about = "Diffusion-KTO in float64 by torch 2.15.0 (tools/golden/kto.py): pair_eps of objectives.golden.json with model and reference exchanged."
    cases = ",\n".join(f"    {json.dumps(name)}: {json.dumps(case)}" for name, case in out.items())
    (ROOT / "diffusion-kto.golden.json").write_text(f'{{\n  "about": {json.dumps(about)},\n  "cases": {{\n{cases}\n  }}\n}}\n')


main()
