"""Makes a reward of the true size with seeded, made-up weights, in the layout in which it is published, scores a picture by torch in float32
on the CPU, and writes what the full-size command compares with: the picture, the score and its gradient by the pixels.

  python tools/golden/full_size_reward.py pick-score|hps|image-reward|aesthetic DIR

`npm run full-size -- reward` calls it. Versions used: torch 2.15.0, transformers 5.24.0, open_clip_torch 3.3.0.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertTokenizer, CLIPTokenizer

from reward_models import Head, ImageReward, aesthetic, clip, clip_cosine, open_clip

PROMPT, SIDES = "a photo of an astronaut on a horse", (480, 640)
SPECIAL = ["<|startoftext|>", "<|endoftext|>"]
H = {"num_attention_heads": 16, "hidden_act": "gelu"}
H14 = {
    "text": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, **H, "eos_token_id": 49407},
    "vision": {"hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32, **H, "image_size": 224, "patch_size": 14},
    "projection": 1024,
}
L14 = {
    "text": {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12, "eos_token_id": 49407},
    "vision": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 224, "patch_size": 14},
    "projection": 768,
}


def fill(named):
    """Norms about 1, biases about 0, tables as CLIP's; the rest keeps the deviation of what goes through."""
    generator = torch.Generator().manual_seed(15)
    for name, p in named:
        if p.ndim == 0:
            p.data.fill_(4.6052)  # ln 100, the temperature of CLIP
            continue
        table = name.endswith(("embedding.weight", "embeddings.weight", "positional_embedding"))
        mean, std = (1, 0.05) if p.ndim == 1 and name.endswith("weight") else (0, 0.02) if p.ndim == 1 else (0, 0.3 if table else (p[0].numel()) ** -0.5)
        p.data.normal_(mean, std, generator=generator)


def clip_tokenizer(folder):
    """A vocabulary of bytes and a few words, with the ids of CLIP's ends."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(c) for c in printable + [256 + i for i in range(256 - len(printable))]]
    merges = "p h; o t; ph ot; phot o</w>; a n; t r; o n; a s; as tr; astr on; o r; h or; s e</w>; hor se</w>".split("; ")
    words = [*symbols, *(s + "</w>" for s in symbols), *(m.replace(" ", "") for m in merges)]
    vocab = {word: i for i, word in enumerate(words)} | {token: 49406 + i for i, token in enumerate(SPECIAL)}
    (folder / "vocab.json").write_text(json.dumps(vocab))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    tokens = {"bos_token": SPECIAL[0], "eos_token": SPECIAL[1], "unk_token": SPECIAL[1], "pad_token": SPECIAL[1]}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **tokens}))
    (folder / "special_tokens_map.json").write_text(json.dumps(tokens))
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    return tokenizer([PROMPT], padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids


def bert_tokenizer(folder):
    """A vocabulary of as many lines as bert-base-uncased has, with a few words and its special tokens in their places."""
    lines = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"[unused{i}]" for i in range(99, 994))]
    lines += ["a", "photo", "of", "an", "astro", "##naut", "on", "horse"]
    lines += [f"word{i}" for i in range(30522 - len(lines))]
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n")
    tokenizer = BertTokenizer.from_pretrained(folder)
    return tokenizer([PROMPT], padding="max_length", max_length=35, truncation=True, return_tensors="pt").input_ids


def make(reward, folder):
    """Writes the files of a reward, and gives its function of pictures."""
    if reward == "image-reward":
        vision = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 224, "patch_size": 16}
        model = ImageReward(vision, {"vocab_size": 30524, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}).eval()
        fill(model.published().items())
        # The published file has BLIP's contrastive heads and its positions too.
        unused = {"blip.vision_proj.weight": torch.zeros(256, 1024), "blip.text_encoder.embeddings.position_ids": torch.arange(512)[None]}
        torch.save({**{name: p.data for name, p in model.published().items()}, **unused}, folder / "ImageReward.pt")
        ids = bert_tokenizer(folder)
        return lambda image: model(image, ids), ids
    ids = clip_tokenizer(folder)
    if reward == "hps":
        vision = {"image_size": 224, "layers": 32, "width": 1280, "head_width": 80, "patch_size": 14}
        model = open_clip(1024, vision, {"context_length": 77, "vocab_size": 49408, "width": 1024, "heads": 16, "layers": 24})
        fill(model.named_parameters())
        torch.save({"epoch": 1, "state_dict": model.state_dict()}, folder / "HPS_v2.1_compressed.pt")
        return lambda image: clip_cosine(model, image, ids, "pad"), ids
    model = clip(**(H14 if reward == "pick-score" else L14))
    fill(model.named_parameters())
    model.save_pretrained(folder, max_shard_size="8GB")
    if reward == "pick-score":
        return lambda image: model.logit_scale.exp() * clip_cosine(model, image, ids), ids
    head = Head(768).eval()
    fill(head.named_parameters())
    torch.save(head.state_dict(), folder / "sac+logos+ava1-l14-linearMSE.pth")
    return lambda image: aesthetic(model, head, image), None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("reward", choices=["pick-score", "hps", "image-reward", "aesthetic"])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    begin = time.time()
    score, ids = make(options.reward, options.folder)
    made = time.time() - begin
    image = torch.rand((1, 3, *SIDES), generator=torch.Generator().manual_seed(0)).requires_grad_()
    begin = time.time()
    value = score(image)
    [gradient] = torch.autograd.grad(value.sum(), image)
    header = {"reward": options.reward, "prompt": PROMPT, "seconds": json.dumps(round(time.time() - begin, 2)), "made": json.dumps(round(made, 2))}
    tensors = {"image": image.detach(), "score": value.detach(), "gradient": gradient}
    if ids is not None:
        tensors["ids"] = ids.to(torch.int32)
    save_file(tensors, options.folder / "golden.safetensors", header)
    print(header, value.item(), gradient.abs().mean().item())


if __name__ == "__main__":
    main()
