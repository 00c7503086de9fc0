"""Runs diffusers on a made-up checkpoint of the true size, in float32 on the CPU, and writes what the full-size command compares with.

  npm run full-size -- make --family sd15 --out DIR
  python tools/golden/full_size.py DIR OUT.safetensors [--steps 2] [--side 512] [--xl] [--no-decode]

Writes latents after each step, the decoded picture, and the times in the header. Versions used: diffusers 0.42.1, transformers 5.24.0,
torch 2.15.0.
"""
import argparse
import json
import time

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file

PROMPT, NEGATIVE = "a photo of an astronaut on a horse", "blurry"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--xl", action="store_true")
    parser.add_argument("--no-decode", action="store_true")
    a = parser.parse_args()
    cls = StableDiffusionXLPipeline if a.xl else StableDiffusionPipeline
    extra = {"add_watermarker": False} if a.xl else {"safety_checker": None, "feature_extractor": None}
    prompt = {"prompt": PROMPT, "negative_prompt": NEGATIVE}
    if a.xl:
        # All parts of XL at once are 14 GiB in float32: the prompts are encoded first.
        encoders = cls.from_pretrained(a.folder, torch_dtype=torch.float32, unet=None, vae=None, **extra)
        with torch.no_grad():
            embeds = encoders.encode_prompt(PROMPT, negative_prompt=NEGATIVE, device="cpu", do_classifier_free_guidance=True)
        names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
        prompt = dict(zip(names, embeds))
        extra |= {"text_encoder": None, "text_encoder_2": None, "tokenizer": None, "tokenizer_2": None}
        del encoders
    pipe = cls.from_pretrained(a.folder, torch_dtype=torch.float32, **extra)
    pipe.set_progress_bar_config(disable=True)
    tensors, times = {}, []

    def keep(_pipe, index, _timestep, values):
        tensors[f"latents.{index}"] = values["latents"].clone()
        times.append(time.time())
        return values

    begin = time.time()
    result = pipe(
        **prompt, num_inference_steps=a.steps, guidance_scale=7.5, height=a.side, width=a.side,
        generator=torch.Generator().manual_seed(0), output_type="latent" if a.no_decode else "pt", callback_on_step_end=keep,
        callback_on_step_end_tensor_inputs=["latents"],
    )
    if not a.no_decode:
        tensors["pixels"] = result.images.contiguous()
    stamps = [begin, *times, time.time()]
    header = {"seconds": json.dumps([round(b - a, 2) for a, b in zip(stamps, stamps[1:])]), "prompt": PROMPT, "negative": NEGATIVE}
    save_file(tensors, a.out, header)
    print(header, {k: (v.abs().mean().item(), v.abs().max().item()) for k, v in tensors.items()})


if __name__ == "__main__":
    main()
