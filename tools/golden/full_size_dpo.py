"""Takes one step of Diffusion-DPO on the UNet of a made-up checkpoint of the true size, in float32 on the CPU, and writes what the
full-size command compares with: inputs, an adapter of rank 8 on every attention, the loss and the gradients.

  npm run full-size -- make --family sd15 --out DIR
  python tools/golden/full_size_dpo.py DIR OUT.safetensors [--side 512]

Versions used: diffusers 0.42.1, torch 2.15.0.
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from safetensors.torch import save_file

RANK, BETA, TIMESTEP = 8, 2000, 500


def adapters(unet: torch.nn.Module, generator: torch.Generator) -> tuple[dict[str, torch.Tensor], dict[str, bool]]:
    """Parameters of the adapter by name, which hooks add to the layers while `on` holds."""
    tensors, state = {}, {"on": True}
    for name, module in unet.named_modules():
        if not name.endswith((".to_q", ".to_k", ".to_v", ".to_out.0")):
            continue
        a = (torch.randn(RANK, module.in_features, generator=generator) / RANK).requires_grad_()
        b = (torch.randn(module.out_features, RANK, generator=generator) * 0.01).requires_grad_()
        tensors[f"{name}.lora_A.weight"], tensors[f"{name}.lora_B.weight"] = a, b
        module.register_forward_hook(lambda _, x, out, a=a, b=b: out + x[0] @ a.T @ b.T if state["on"] else out)
    return tensors, state


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--side", type=int, default=512)
    options = parser.parse_args()
    unet = UNet2DConditionModel.from_pretrained(options.folder, subfolder="unet", torch_dtype=torch.float32).requires_grad_(False)
    unet.enable_gradient_checkpointing()
    unet.train()
    generator = torch.Generator().manual_seed(0)
    tensors, state = adapters(unet, generator)
    shape = (1, unet.config.in_channels, options.side // 8, options.side // 8)
    inputs = {name: torch.randn(shape, generator=generator) for name in ("chosen", "rejected", "noise")}
    inputs["context"] = torch.randn(1, 77, unet.config.cross_attention_dim, generator=generator)
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    timesteps = torch.tensor([TIMESTEP, TIMESTEP])
    noises = inputs["noise"].repeat(2, 1, 1, 1)
    noisy = scheduler.add_noise(torch.cat([inputs["chosen"], inputs["rejected"]]), noises, timesteps)

    def errors() -> tuple[torch.Tensor, ...]:
        out = unet(noisy, timesteps, inputs["context"].repeat(2, 1, 1)).sample
        return F.mse_loss(out, noises, reduction="none").mean(dim=(1, 2, 3)).chunk(2)

    begin = time.time()
    state["on"] = False
    with torch.no_grad():
        ref_won, ref_lost = errors()
    state["on"] = True
    won, lost = errors()
    loss = -F.logsigmoid(-BETA / 2 * ((won - lost) - (ref_won - ref_lost))).mean()
    grads = torch.autograd.grad(loss, list(tensors.values()))
    header = {"loss": repr(loss.item()), "error": repr(((won + lost) / 2).item()), "beta": str(BETA), "timestep": str(TIMESTEP)}
    header["seconds"] = json.dumps(round(time.time() - begin, 2))
    adapter = {f"adapter.{name}": t.detach() for name, t in tensors.items()}
    gradients = {f"gradient.{name}": g for name, g in zip(tensors, grads)}
    save_file({**inputs, **adapter, **gradients}, options.out, header)
    print(header)


if __name__ == "__main__":
    main()
