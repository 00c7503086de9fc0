"""Writes packages/models/src/checkpoints/pipeline.golden.json: every file of a small Stable Diffusion as diffusers saves it, in f16 with
the UNet in shards. Its numbers are those of waves.py, so that the test can tell where each came to lie.

Run from the repository root with diffusers (made with 0.42.1), transformers (5.24.0) and torch (2.15) installed:
python tools/golden/tiny_pipeline.py
"""

import base64
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from waves import parameter

OUT = Path(__file__).parents[2] / "packages/models/src/checkpoints/pipeline.golden.json"
SIZES = {"norm_num_groups": 2, "layers_per_block": 1}
UNET = {
    "block_out_channels": [4, 4], "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "cross_attention_dim": 8, "attention_head_dim": 2, "sample_size": 8, **SIZES,
}
VAE = {
    "block_out_channels": [4, 4], "down_block_types": ["DownEncoderBlock2D"] * 2, "up_block_types": ["UpDecoderBlock2D"] * 2,
    "latent_channels": 4, "sample_size": 16, **SIZES,
}
TEXT = {
    "vocab_size": 6, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 77,
    "bos_token_id": 4, "eos_token_id": 5, "pad_token_id": 5,
}


def filled(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            # transformers keeps the names of its files apart from those of its modules.
            p.copy_(parameter(name, tuple(p.shape)))
    return model.half()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "vocab.json").write_text(json.dumps({"a": 0, "b": 1, "a</w>": 2, "b</w>": 3, "<|startoftext|>": 4, "<|endoftext|>": 5}))
        (root / "merges.txt").write_text("#version: 0.2\n")
        tokenizer = CLIPTokenizer(str(root / "vocab.json"), str(root / "merges.txt"), model_max_length=77)
        pipeline = StableDiffusionPipeline(
            vae=filled(AutoencoderKL(**VAE)), text_encoder=filled(CLIPTextModel(CLIPTextConfig(**TEXT))), tokenizer=tokenizer,
            unet=filled(UNet2DConditionModel(**UNET)),
            scheduler=PNDMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1),
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )
        out = root / "pipeline"
        pipeline.save_pretrained(out, variant="fp16", max_shard_size="12KB")
        files = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    golden = {
        "note": f"diffusers {version('diffusers')}, transformers {version('transformers')}. tools/golden/tiny_pipeline.py",
        "files": {
            path: {"base64": base64.b64encode(data).decode()} if path.endswith(".safetensors") else {"text": data.decode()}
            for path, data in files.items()
        },
    }
    OUT.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


main()
