"""Writes averages by diffusers' EMAModel and loss scales by torch's GradScaler to packages/core/src/optim/training-tools.golden.json,
and SGD under GradScaler to packages/npo/src/training/loss-scale.golden.json.

Run from the repository root with torch and diffusers (made with 2.15.0 and 0.42.1): python tools/golden/training_tools.py
"""

import json
import math
from pathlib import Path

import torch
from diffusers.training_utils import EMAModel

PACKAGES = Path(__file__).parents[2] / "packages"


def averages(name, updates, **options):
    """Decays, and the average of a parameter that takes the values sin(1), sin(2), …."""
    parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    model = EMAModel([parameter], **options)
    decays, values = [], []
    for update in range(1, updates + 1):
        parameter.data.fill_(math.sin(update))
        model.step([parameter])
        decays.append(model.cur_decay_value)
        values.append(model.shadow_params[0].item())
    return {"name": name, "options": options, "decays": decays, "values": values}


def scales(steps, bad, lr, **options):
    """SGD on `sum(w·c) + sum(sqrt(0·w + b))`: at b = 0 the loss is finite, and the gradient is not."""
    w = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    optimizer = torch.optim.SGD([w], lr=lr)
    scaler = torch.amp.GradScaler("cpu", **options)
    rows = []
    for step in range(steps):
        optimizer.zero_grad()
        c = torch.tensor([math.cos(step), 1.0, -0.25])
        loss = (w * c).sum() + (w * 0 + (0.0 if step in bad else 1.0)).sqrt().sum()
        scaled_by = scaler.get_scale()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        rows.append({
            "scale": scaled_by, "next": scaler.get_scale(), "tracker": scaler.state_dict()["_growth_tracker"], "w": w.tolist(),
        })
    return {"options": options, "lr": lr, "bad": bad, "steps": rows}


def write(path, golden):
    (PACKAGES / path).write_text(json.dumps(golden, indent=1) + "\n")


def main():
    scaled = [
        scales(14, [0, 1, 6, 13], 0.1, init_scale=64.0, growth_interval=3),
        scales(8, [4], 0.1, growth_interval=2, growth_factor=4.0, backoff_factor=0.25),
    ]
    write("core/src/optim/training-tools.golden.json", {
        "averages": [
            averages("ratio", 12, decay=0.5),
            averages("ratio", 8, decay=0.9999, min_decay=0.25, update_after_step=3),
            averages("power", 12, decay=0.7, use_ema_warmup=True),
            averages("power", 12, decay=0.9999, use_ema_warmup=True, inv_gamma=2.5, power=0.75, update_after_step=2, min_decay=0.1),
        ],
        "scales": [
            {**case, "steps": [{key: value for key, value in row.items() if key != "w"} for row in case["steps"]]} for case in scaled
        ],
        "defaults": {"scale": torch.amp.GradScaler("cpu").get_scale()},
    })
    write("npo/src/training/loss-scale.golden.json", scaled)


main()
