"""Saves tiny pipelines by diffusers itself, as fixtures of packages/pipelines and packages/models.

  python tools/golden/tiny_pipelines.py packages

Those of pipelines are folders with what they draw: weights are seeded and stored in f16, so that the files are small, and the pictures are
those of the stored weights. That of models, src/checkpoints/pipeline.golden.json, has every file of a pipeline in it, the UNet in shards; its
numbers are those of waves.py, so that a test can tell where each came to lie.

Versions used: diffusers 0.42.1, transformers 5.24.0, torch 2.15.0, on the CPU in float32.
"""
import base64
import json
import pathlib
import sys
import tempfile
from importlib.metadata import version

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from waves import parameter

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


def stable_diffusion(**parts: object) -> StableDiffusionPipeline:
    return StableDiffusionPipeline(**parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def filled(model: torch.nn.Module) -> torch.nn.Module:
    with torch.no_grad():
        for name, p in model.named_parameters():
            # transformers keeps the names of its files apart from those of its modules.
            p.copy_(parameter(name, tuple(p.shape)))
    return model.half()


def in_shards() -> dict:
    """Every file of a pipeline of few tokens, by its path."""
    sizes = {"norm_num_groups": 2, "layers_per_block": 1}
    words = {"a": 0, "b": 1, "a</w>": 2, "b</w>": 3, "<|startoftext|>": 4, "<|endoftext|>": 5}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "vocab.json").write_text(json.dumps(words))
        (root / "merges.txt").write_text("#version: 0.2\n")
        pipe = stable_diffusion(
            vae=filled(AutoencoderKL(
                block_out_channels=[4, 4], down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
                latent_channels=4, sample_size=16, **sizes,
            )),
            text_encoder=filled(CLIPTextModel(CLIPTextConfig(
                vocab_size=6, hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=77,
                bos_token_id=4, eos_token_id=5, pad_token_id=5,
            ))),
            tokenizer=CLIPTokenizer(str(root / "vocab.json"), str(root / "merges.txt"), model_max_length=77),
            unet=filled(UNet2DConditionModel(
                block_out_channels=[4, 4], down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"],
                up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"], cross_attention_dim=8, attention_head_dim=2, sample_size=8, **sizes,
            )),
            scheduler=PNDMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1),
        )
        out = root / "pipeline"
        pipe.save_pretrained(out, variant="fp16", max_shard_size="12KB")
        files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    return {
        "note": f"diffusers {version('diffusers')}, transformers {version('transformers')}. tools/golden/tiny_pipelines.py",
        "files": {
            path: {"base64": base64.b64encode(data).decode()} if path.endswith(".safetensors") else {"text": data.decode()}
            for path, data in files.items()
        },
    }


def main() -> None:
    packages = pathlib.Path(sys.argv[1])
    (packages / "models/src/checkpoints/pipeline.golden.json").write_text(json.dumps(in_shards(), indent=1, ensure_ascii=False) + "\n")
    root = packages / "pipelines"
    out = root / "test"
    torch.manual_seed(0)
    betas = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)
    golden = {}
    pipe = stable_diffusion(
        vae=vae(), text_encoder=randomise(CLIPTextModel(text_config(16, "quick_gelu", 529))), tokenizer=tokenizer(out / "sd" / "tokenizer", "<|endoftext|>"),
        unet=unet(16), scheduler=DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **betas),
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
