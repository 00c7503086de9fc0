"""Writes packages/pipelines/src/training/preference.golden.json: the loss of Diffusion-DPO on a tiny UNet of Stable Diffusion and one of
Stable Diffusion XL, and its gradients with respect to a low-rank adapter, for models of noise and of velocity, in float64, with what float32 costs torch.

Weights, latents, noise and adapters are waves (see waves.py); the adapter adds 0.25·B·A, of rank 2, to every product of every attention.
The loss is that of diffusers' examples/research_projects/diffusion_dpo/train_diffusion_dpo_sdxl.py: −log σ(−(β/2)·(D − D_ref)).

Run from the repository root with diffusers (made with 0.42.1) and torch (2.15) installed: python tools/golden/preference_training.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel

from waves import fill, parameter, waves

HERE = Path(__file__).parents[2] / "packages/pipelines/src"
OUT = HERE / "training/preference.golden.json"
TIMESTEPS = [40, 751]
SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}


def adapters(unet, dtype):
    """Parameters of an adapter by name, which hooks add to the layers while `on` holds."""
    tensors, state = {}, {"on": True}
    for name, module in unet.named_modules():
        if not name.endswith((".to_q", ".to_k", ".to_v", ".to_out.0")):
            continue
        shapes = {"lora_A.weight": (2, module.in_features), "lora_B.weight": (module.out_features, 2)}
        a, b = (parameter(f"eta.{name}.{part}", shape).to(dtype).requires_grad_() for part, shape in shapes.items())
        tensors[f"{name}.lora_A.weight"], tensors[f"{name}.lora_B.weight"] = a, b
        module.register_forward_hook(lambda _, x, out, a=a, b=b: out + 0.25 * (x[0] @ a.T @ b.T) if state["on"] else out)
    return tensors, state


def measured(config, prediction, beta, swapped, dtype):
    """Loss, errors of model and reference, and gradients by name."""
    unet = fill(UNet2DConditionModel(**config)).requires_grad_(False).to(dtype)
    tensors, state = adapters(unet, dtype)
    scheduler = DDPMScheduler(**SCHEDULE, prediction_type=prediction)
    chosen, rejected, noise = (waves(f"input.{name}", (2, 4, 8, 8), 0, 1).to(dtype) for name in ("chosen", "rejected", "noise"))
    if swapped:
        chosen, rejected = rejected, chosen
    context = waves("input.context", (2, 5, config["cross_attention_dim"]), 0, 1).repeat(2, 1, 1).to(dtype)
    added = None
    if "addition_embed_type" in config:
        ids = torch.tensor([[16.0, 24, 0, 3, 16, 16], [32, 16, 5, 0, 16, 16]], dtype=dtype).repeat(2, 1)
        added = {"text_embeds": waves("input.pooled", (2, 20), 0, 1).repeat(2, 1).to(dtype), "time_ids": ids}
    latents, noises = torch.cat([chosen, rejected]), noise.repeat(2, 1, 1, 1)
    timesteps = torch.tensor(TIMESTEPS * 2)
    noisy = scheduler.add_noise(latents, noises, timesteps)
    target = noises if prediction == "epsilon" else scheduler.get_velocity(latents, noises, timesteps)

    def errors():
        out = unet(noisy, timesteps, context, added_cond_kwargs=added).sample
        return F.mse_loss(out, target, reduction="none").mean(dim=(1, 2, 3)).chunk(2)

    won, lost = errors()
    state["on"] = False
    with torch.no_grad():
        ref_won, ref_lost = errors()
    margin = (won - lost) - (ref_won - ref_lost)
    loss = -F.logsigmoid(-beta / 2 * margin).mean()
    grads = torch.autograd.grad(loss, list(tensors.values()))
    numbers = {"loss": loss, "error": ((won + lost) / 2).mean(), "referenceError": ((ref_won + ref_lost) / 2).mean()}
    return {name: value.item() for name, value in numbers.items()}, dict(zip(tensors, grads))


def case(config, *options):
    numbers, grads = measured(config, *options, torch.float64)
    f32, f32_grads = measured(config, *options, torch.float32)
    gradients = {
        name: {"first3": g.reshape(-1)[:3].tolist(), "l1": g.abs().sum().item(), "f32MaxAbsDev": (f32_grads[name] - g).abs().max().item()}
        for name, g in grads.items()
    }
    kind = "sdxl" if "addition_embed_type" in config else "sd"
    about = dict(zip(("prediction", "beta", "swapped"), options))
    return {"kind": kind, **about, **numbers, "lossF32Dev": abs(f32["loss"] - numbers["loss"]), "gradients": gradients}


def main():
    components = json.loads((HERE / "testing/pipelines.golden.json").read_text())["components"]
    sd, sdxl = components["unet"]["config"], components["unet_sdxl"]["config"]
    cases = [case(sd, "epsilon", 50, False), case(sd, "epsilon", 50, True), case(sd, "v_prediction", 20, False), case(sdxl, "epsilon", 50, False)]
    golden = {"made with": "tools/golden/preference_training.py; diffusers 0.42.1, torch 2.15, float64", "timesteps": TIMESTEPS, "cases": cases}
    OUT.write_text(json.dumps(golden) + "\n")


main()
