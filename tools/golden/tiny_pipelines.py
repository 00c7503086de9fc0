"""Saves tiny pipelines by diffusers itself, and what they draw, as fixtures of packages/pipelines.

  python tools/golden/tiny_pipelines.py packages/pipelines

Versions used: diffusers 0.42.1, transformers 5.24.0, torch 2.15.0, on the CPU in float32. The weights are seeded and stored in f16, so that
the files are small; the pictures are those of the stored weights.
"""
import json
import pathlib
import sys

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

PROMPT, NEGATIVE = "a photo of the red cat", "blurry"
MERGES = ["t h", "th e</w>", "c a", "ca t</w>", "r e", "re d</w>", "o f</w>", "p h", "ph o", "pho t", "phot o</w>", "b l", "u r", "ur r", "bl urr", "blurr y</w>"]


def tokenizer(folder: pathlib.Path, pad: str) -> CLIPTokenizer:
    byte = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    symbols = [chr(b) for b in byte] + [chr(256 + i) for i in range(256 - len(byte))]
    words = symbols + [s + "</w>" for s in symbols] + [m.replace(" ", "") for m in MERGES] + ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), pad_token=pad, model_max_length=77)


def text_config(width: int, act: str, pad: int) -> CLIPTextConfig:
    size = 512 + len(MERGES) + 2
    return CLIPTextConfig(
        vocab_size=size, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2, num_attention_heads=2, hidden_act=act,
        projection_dim=width, bos_token_id=size - 2, eos_token_id=size - 1, pad_token_id=pad,
    )


def randomise(model: torch.nn.Module) -> torch.nn.Module:
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                p.normal_(0, (p.numel() / p.shape[0]) ** -0.5)
            else:
                p.add_(0.05 * torch.randn_like(p))
    return model.half().float()


def vae() -> AutoencoderKL:
    return randomise(AutoencoderKL(
        block_out_channels=(8, 8), down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        layers_per_block=1, latent_channels=4, norm_num_groups=4, sample_size=16,
    ))


def unet(cross: int, **kwargs: object) -> UNet2DConditionModel:
    return randomise(UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), cross_attention_dim=cross, attention_head_dim=2, norm_num_groups=4, **kwargs,
    ))


def draw(pipe: object, folder: pathlib.Path) -> dict:
    latents = []

    def keep(_pipe: object, _i: int, _t: object, values: dict) -> dict:
        latents.append(values["latents"].clone())
        return values

    image = pipe(
        PROMPT, negative_prompt=NEGATIVE, num_inference_steps=3, guidance_scale=5.0, height=16, width=16, output_type="pt",
        generator=torch.Generator().manual_seed(1), callback_on_step_end=keep, callback_on_step_end_tensor_inputs=["latents"],
    ).images
    pipe.to(torch.float16).save_pretrained(folder, safe_serialization=True)
    round_ = lambda t: [float(f"{v:.7g}") for v in t.flatten().tolist()]
    return {"prompt": PROMPT, "negativePrompt": NEGATIVE, "latents": [round_(x) for x in latents], "pixels": round_(image)}


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    out = root / "test"
    torch.manual_seed(0)
    betas = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)
    golden = {}
    pipe = StableDiffusionPipeline(
        vae=vae(), text_encoder=randomise(CLIPTextModel(text_config(16, "quick_gelu", 529))), tokenizer=tokenizer(out / "sd" / "tokenizer", "<|endoftext|>"),
        unet=unet(16), scheduler=DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **betas),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    golden["sd"] = draw(pipe, out / "sd")
    xl = StableDiffusionXLPipeline(
        vae=vae(), text_encoder=randomise(CLIPTextModel(text_config(16, "quick_gelu", 529))), tokenizer=tokenizer(out / "sdxl" / "tokenizer", "<|endoftext|>"),
        text_encoder_2=randomise(CLIPTextModelWithProjection(text_config(8, "gelu", 0))), tokenizer_2=tokenizer(out / "sdxl" / "tokenizer_2", "!"),
        unet=unet(24, addition_embed_type="text_time", addition_time_embed_dim=4, projection_class_embeddings_input_dim=32, use_linear_projection=True),
        scheduler=EulerDiscreteScheduler(**betas), add_watermarker=False,
    )
    xl.set_progress_bar_config(disable=True)
    golden["sdxl"] = draw(xl, out / "sdxl")
    (root / "src" / "testing" / "drawn.golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
