"""The networks of rewards in torch: CLIP by transformers, OpenCLIP's own, the linear heads of LAION and ImageReward, and ImageReward's BLIP
by transformers' port of it, with the names of ImageReward.pt."""

import re

import torch
from torch import nn
from transformers import BlipTextConfig, BlipVisionConfig, BlipVisionModel, CLIPConfig, CLIPModel
from transformers.models.blip.modeling_blip_text import BlipTextModel

from clip_pixels import normalised, square


def clip(text, vision, projection):
    """Both towers of transformers."""
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=projection)).eval()


def open_clip(projection, vision, text):
    """Both towers of OpenCLIP, with exact GELU."""
    from open_clip.model import CLIP

    return CLIP(projection, vision, text, quick_gelu=False).eval()


def unit(rows):
    return rows / rows.norm(dim=-1, keepdim=True)


def clip_cosine(model, images, ids, fit="crop"):
    """Cosines of pictures in [0, 1] and prompts by either CLIP."""
    if isinstance(model, CLIPModel):
        config = model.config.vision_config
        pixels = normalised(square(images, config.image_size, fit))
        image = model.visual_projection(model.vision_model(pixels).pooler_output)
        text = model.text_projection(model.text_model(ids).pooler_output)
    else:
        pixels = normalised(square(images, model.visual.image_size[0], fit))
        image, text = model.encode_image(pixels), model.encode_text(ids)
    return (unit(image) * unit(text)).sum(-1)


class Head(nn.Module):
    """Linear layers with dropout between them, which is off. Sources: improved-aesthetic-predictor, simple_inference.py; ImageReward.py."""

    def __init__(self, width):
        super().__init__()
        sizes = [width, 1024, 128, 64, 16, 1]
        first = [[nn.Linear(a, b), nn.Dropout(0)] for a, b in zip(sizes, sizes[1:4])]
        self.layers = nn.Sequential(*(layer for pair in first for layer in pair), nn.Linear(64, 16), nn.Linear(16, 1))

    def forward(self, x):
        return self.layers(x).squeeze(-1)


def aesthetic(model, head, images):
    pixels = normalised(square(images, model.config.vision_config.image_size, "crop"))
    return head(unit(model.visual_projection(model.vision_model(pixels).pooler_output)))


NAMES = [
    (r"^vision\.embeddings\.class_embedding$", "blip.visual_encoder.cls_token"),
    (r"^vision\.embeddings\.position_embedding$", "blip.visual_encoder.pos_embed"),
    (r"^vision\.embeddings\.patch_embedding\.", "blip.visual_encoder.patch_embed.proj."),
    (r"^vision\.encoder\.layers\.(\d+)\.self_attn\.qkv\.", r"blip.visual_encoder.blocks.\1.attn.qkv."),
    (r"^vision\.encoder\.layers\.(\d+)\.self_attn\.projection\.", r"blip.visual_encoder.blocks.\1.attn.proj."),
    (r"^vision\.encoder\.layers\.(\d+)\.layer_norm([12])\.", r"blip.visual_encoder.blocks.\1.norm\2."),
    (r"^vision\.encoder\.layers\.(\d+)\.mlp\.", r"blip.visual_encoder.blocks.\1.mlp."),
    (r"^vision\.post_layernorm\.", "blip.visual_encoder.norm."),
    (r"^text\.", "blip.text_encoder."),
    (r"^mlp\.", "mlp."),
]


class ImageReward(nn.Module):
    """Source: THUDM/ImageReward, ImageReward.py and models/BLIP, whose BLIP transformers has under names of its own."""

    def __init__(self, vision, text):
        super().__init__()
        self.vision = BlipVisionModel(BlipVisionConfig(**vision, layer_norm_eps=1e-6, attention_dropout=0))
        width = vision["hidden_size"]
        config = BlipTextConfig(
            **text, encoder_hidden_size=width, layer_norm_eps=1e-12, is_decoder=True, hidden_dropout_prob=0,
            attention_probs_dropout_prob=0, attn_implementation="eager",
        )
        self.text = BlipTextModel(config, add_pooling_layer=False)
        self.mlp = Head(text["hidden_size"])

    def published(self):
        """Parameters by the names of ImageReward.pt."""
        named = {}
        for own, p in self.named_parameters():
            [name] = [re.sub(old, new, own) for old, new in NAMES if re.search(old, own)]
            named[name] = p
        order = ("blip.visual_encoder", "blip.text_encoder", "mlp")
        return {name: named[name] for part in order for name in named if name.startswith(part)}

    def forward(self, images, ids):
        pixels = normalised(square(images, self.vision.config.image_size, "crop"))
        seen = self.vision(pixels).last_hidden_state
        out = self.text(ids, attention_mask=(ids != 0).long(), encoder_hidden_states=seen, encoder_attention_mask=torch.ones(seen.shape[:2]))
        return (self.mlp(out.last_hidden_state[:, 0]) - 0.16717362830052426) / 1.0333394966054072
