"""What diffusers draws with the fixtures of packages/pipelines and what is put onto them: words learned by textual inversion,
parts of images around masks, and an IP-Adapter.

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

from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from waves import parameter, waves

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


VISION = dict(
    hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2, projection_dim=6, image_size=8, patch_size=4,
)


def vision_tower() -> CLIPVisionModelWithProjection:
    tower = CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION))
    with torch.no_grad():
        for name, p in tower.named_parameters():
            table = name.endswith(("position_embedding.weight", "class_embedding"))
            p.copy_(waves(name, tuple(p.shape), 0, 0.5) if table else parameter(name, tuple(p.shape)))
    return tower.eval()


def ip_adapter(root: pathlib.Path) -> dict:
    """The adapter's tensors have names and numbers of a file of its authors."""
    image = Image.fromarray(bytes_(np.arange(3 * 64)).reshape(8, 8, 3))
    golden = {"config": VISION, "scale": 0.6, "adapters": {}}
    for name in ("sd", "sdxl"):
        pipe = opened(root, name)
        width = pipe.unet.config.cross_attention_dim
        shapes = {"image_proj.proj.weight": (4 * width, 6), "image_proj.proj.bias": (4 * width,), "image_proj.norm.weight": (width,), "image_proj.norm.bias": (width,)}
        crossing = [(key, p) for key, p in pipe.unet.attn_processors.items() if key.endswith("attn2.processor")]
        for i, (key, _) in enumerate(crossing):
            inner = pipe.unet.get_submodule(key.removesuffix(".processor")).to_k.weight.shape[0]
            for part in ("to_k_ip", "to_v_ip"):
                shapes[f"ip_adapter.{2 * i + 1}.{part}.weight"] = (inner, width)
        state = {"image_proj": {}, "ip_adapter": {}}
        for key, shape in shapes.items():
            part, rest = key.split(".", 1)
            state[part][rest] = parameter(key, shape).float()
        pipe.register_modules(image_encoder=vision_tower(), feature_extractor=CLIPImageProcessor(size={"shortest_edge": 8}, crop_size={"height": 8, "width": 8}))
        pipe.load_ip_adapter(state, subfolder=None, weight_name=None, image_encoder_folder=None)
        pipe.set_ip_adapter_scale(0.6)
        golden["adapters"][name] = {"shapes": shapes, "latents": drawn(pipe, prompt="a photo of the cat", negative_prompt="blurry", ip_adapter_image=image)}
    return golden


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    golden = {"textualInversion": textual_inversion(root), "maskCrop": mask_crop(root), "ipAdapter": ip_adapter(root)}
    (root / "src" / "testing" / "extras.golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
