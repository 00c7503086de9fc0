"""What diffusers draws with the fixtures of packages/pipelines and what is put onto them: words learned by textual inversion.

  python tools/golden/pipeline_extras.py packages/pipelines

Versions used: diffusers 0.42.1, transformers 5.24.0, torch 2.15.0, on the CPU in float32. What is put onto the models is by the formula of
waves.py, so that nothing but results is stored.
"""
import json
import pathlib
import sys

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

from waves import waves

SETTINGS = dict(num_inference_steps=2, guidance_scale=4.0, height=16, width=16, output_type="latent")


def round_(t: torch.Tensor) -> list:
    return [float(f"{v:.7g}") for v in t.flatten().tolist()]


def drawn(pipe: object, **kwargs: object) -> list:
    return round_(pipe(**SETTINGS, **kwargs, generator=torch.Generator().manual_seed(3)).images)


def opened(root: pathlib.Path, name: str) -> object:
    kind = StableDiffusionPipeline if name == "sd" else StableDiffusionXLPipeline
    pipe = kind.from_pretrained(root / "test" / name, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def rows(name: str, count: int, width: int) -> torch.Tensor:
    return waves(name, (count, width), 0, 0.5).float()


def textual_inversion(root: pathlib.Path) -> dict:
    prompt = "a photo of the <toy> cat"
    sd = opened(root, "sd")
    sd.load_textual_inversion({"<toy>": rows("toy.l", 3, 16)}, token="<toy>")
    xl = opened(root, "sdxl")
    xl.load_textual_inversion({"<toy>": rows("toy.l", 2, 16)}, token="<toy>", text_encoder=xl.text_encoder, tokenizer=xl.tokenizer)
    xl.load_textual_inversion({"<toy>": rows("toy.g", 2, 8)}, token="<toy>", text_encoder=xl.text_encoder_2, tokenizer=xl.tokenizer_2)
    return {"prompt": prompt, **{name: drawn(pipe, prompt=prompt, negative_prompt="blurry") for name, pipe in (("sd", sd), ("sdxl", xl))}}


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    golden = {"textualInversion": textual_inversion(root)}
    (root / "src" / "testing" / "extras.golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
