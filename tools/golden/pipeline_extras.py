"""What diffusers draws with the fixtures of packages/pipelines and what is put onto them: words learned by textual inversion,
and parts of images around masks.

  python tools/golden/pipeline_extras.py packages/pipelines

Versions used: diffusers 0.42.1, transformers 5.24.0, torch 2.15.0, on the CPU in float32. What is put onto the models is by the formula of
waves.py, so that nothing but results is stored.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from diffusers import StableDiffusionInpaintPipeline, StableDiffusionPipeline, StableDiffusionXLPipeline

from PIL import Image

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


def bytes_(i: np.ndarray) -> np.ndarray:
    return ((i * 37 + i * i % 101) % 256).astype(np.uint8)


# The part around the mask is square, or wider than the image is high, so that there is something to fill.
CROPS = [dict(columns=(20, 27), rows=(6, 12), padding=3), dict(columns=(5, 35), rows=(4, 20), padding=1)]


def mask_crop(root: pathlib.Path) -> dict:
    width, height = 40, 24
    image = Image.fromarray(bytes_(np.arange(3 * width * height)).reshape(height, width, 3))
    parts = opened(root, "sd").components
    sd = StableDiffusionInpaintPipeline(**{k: parts[k] for k in parts if k != "image_encoder"}, requires_safety_checker=False)
    sd.set_progress_bar_config(disable=True)
    cases = []
    for case in CROPS:
        mask = np.zeros((height, width), np.uint8)
        mask[slice(*case["rows"]), slice(*case["columns"])] = 255
        mask = Image.fromarray(mask)
        region = sd.mask_processor.get_crop_region(mask, 16, 16, pad=case["padding"])
        part = sd.image_processor.resize(image.crop(region), 16, 16, resize_mode="fill")
        out = sd("a photo of the cat", image=image, mask_image=mask, padding_mask_crop=case["padding"], strength=0.8,
                 num_inference_steps=4, guidance_scale=4.0, height=16, width=16, generator=torch.Generator().manual_seed(3)).images[0]
        cases.append({**case, "region": region, "part": np.asarray(part).flatten().tolist(), "image": np.asarray(out).flatten().tolist()})
    return {"width": width, "height": height, "cases": cases}


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    golden = {"textualInversion": textual_inversion(root), "maskCrop": mask_crop(root)}
    (root / "src" / "testing" / "extras.golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
