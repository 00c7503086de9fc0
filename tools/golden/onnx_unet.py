"""Exports the UNet of a checkpoint to ONNX, and runs it by torch in float32 on the CPU, for the benchmark beside onnxruntime.

  npm run full-size -- make --family sd15 --out DIR
  python tools/golden/onnx_unet.py DIR OUT [--side 512] [--batch 2] [--runs 2]
  npm run full-size -- beside --model DIR --golden OUT

Writes OUT/unet.onnx with its weights beside it, and OUT/golden.safetensors: inputs, torch's output, and its times in the header.
Versions used: diffusers 0.42.1, torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2.
"""
import argparse
import json
import os
import time

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file


class Plain(torch.nn.Module):
    """The network as a function of three tensors."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        return self.unet(sample, timestep, context, return_dict=False)[0]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--runs", type=int, default=2)
    a = parser.parse_args()
    os.makedirs(a.out, exist_ok=True)
    unet = UNet2DConditionModel.from_pretrained(a.folder, subfolder="unet", torch_dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(0)
    sample = torch.randn(a.batch, unet.config.in_channels, a.side // 8, a.side // 8, generator=generator)
    context = torch.randn(a.batch, 77, unet.config.cross_attention_dim, generator=generator)
    timestep = torch.full((a.batch,), 501.0)
    inputs = (sample, timestep, context)
    times = []
    with torch.no_grad():
        for _ in range(a.runs):
            begin = time.time()
            output = unet(*inputs, return_dict=False)[0]
            times.append(round(time.time() - begin, 3))
        save_file(
            {"sample": sample, "timestep": timestep, "context": context, "output": output.contiguous()},
            f"{a.out}/golden.safetensors", {"seconds": json.dumps(times)},
        )
        torch.onnx.export(
            Plain(unet), inputs, f"{a.out}/unet.onnx", input_names=["sample", "timestep", "context"], output_names=["output"],
            opset_version=18, external_data=True, dynamo=True,
        )
    print(times, output.abs().mean().item(), output.abs().max().item())


if __name__ == "__main__":
    main()
