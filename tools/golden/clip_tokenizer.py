"""Writes packages/models/src/tokenizers/clip-tokenizer.golden.json: ids that transformers' CLIPTokenizer gives to texts of many kinds, by
a small vocabulary of our own and by files of several generations.

The vocabulary is the 256 symbols of bytes, the same with </w>, the merges joined, and the two special tokens.
Run from the repository root with transformers (made with 5.24.0), tokenizers (0.23.3) and diffusers (0.42.1) installed: python tools/golden/clip_tokenizer.py
"""

import json
import tempfile
from pathlib import Path

from diffusers.loaders import TextualInversionLoaderMixin
from transformers import CLIPTokenizer

OUT = Path(__file__).parents[2] / "packages/models/src/tokenizers/clip-tokenizer.golden.json"
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
MERGES = """t h; th e</w>; a n; an d</w>; i n; in g</w>; c a; ca t</w>; ca f; d o; do g</w>; o n</w>; ' s</w>; ' t</w>; r e; r e</w>; ' re</w>;
v e</w>; ' ve</w>; l l</w>; ' ll</w>; ' m</w>; ' d</w>; ! !; ! !</w>; !! !</w>; . .</w>; < |</w>; Ã ©; Ã ©</w>; caf Ã©</w>; Ã »; ð Ł; ðŁ Ĳ;
ä ¸; ç Į; çĮ «</w>; Ï ĥ; Ï Ĥ</w>; Ï ĥ</w>; s t; st a; o f</w>; p h; ph o; pho t; phot o</w>""".replace("\n", " ").split("; ")

TEXTS = [
    "a photo of the cat and the dog on mars", "", " ", "  A  Photo\n\tof\u00a0the\u3000cat ", "crème brûlée, décomposé", "CAFÉ café cafe\u0301",
    "Ångström naïve ǅ ﬁ ﬂ Ⅷ", "火星上的猫", "猫🐈‍⬛ 👩‍🚀🏽 🇩🇪", "한국어 हिन्दी العربية ไทย", "it's the dog's, they're, I'VE, we'll, he'd, I'm, don't, o'clock",
    "'s ''s 's' ’s", "2026 1.5 x100 ½ ² ٣", "!!! wow! !! !", "?!...,;:", "ΣΊΣΥΦΟΣ ΟΔΟΣ", "İstanbul ẞ IJ", "(a:1.2) [b] {c|d} a_b-c/d\\e",
    "the <|endoftext|> cat <|startoftext|>", "the<|endoftext|>cat", "<|ENDOFTEXT|> <|StartOfText|>", "<|endoftext <| |>", "\u200bzero\u200dwidth\u00ad",
    "\ufeffcat !\ufeff!", "tab\u0085next\u2028line", "null\0bell\a", "the cat " * 60, "the " * 75, "the " * 76, "supercalifragilistic" * 12,
]  # fmt: skip


def vocabulary():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    symbols = [chr(c) for c in printable + [256 + i for i in range(256 - len(printable))]]
    tokens = symbols + [s + "</w>" for s in symbols] + [m.replace(" ", "") for m in MERGES] + [BEGIN, END]
    return {token: i for i, token in enumerate(tokens)}


def stated(content):
    return {"__type": "AddedToken", "content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}


def listed(content):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}


def mapped(content):
    return {"content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}


VOCAB = vocabulary()
OLD = {"bos_token": stated(BEGIN), "eos_token": stated(END), "unk_token": stated(END), "pad_token": END, "model_max_length": 77, "do_lower_case": True}
MAP = {"bos_token": mapped(BEGIN), "eos_token": mapped(END), "unk_token": mapped(END)}
NEW = {"bos_token": BEGIN, "eos_token": END, "unk_token": END, "model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}
DECODER = {"0": listed("!"), str(VOCAB[BEGIN]): listed(BEGIN), str(VOCAB[END]): listed(END)}
KINDS = {
    "Stable Diffusion 1.5: the end pads": {"config": OLD, "specialTokens": {**MAP, "pad_token": END}},
    "Stable Diffusion 2: the map pads with '!'": {"config": OLD, "specialTokens": {**MAP, "pad_token": "!"}},
    "Stable Diffusion XL's second: every added token is listed": {
        "config": {**NEW, "pad_token": "!", "added_tokens_decoder": DECODER},
        "specialTokens": {**MAP, "pad_token": END},
    },
}

kinds = []
with tempfile.TemporaryDirectory() as folder:
    root = Path(folder)
    (root / "vocab.json").write_text(json.dumps(VOCAB))
    (root / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")

    def add(name, files, tokenizer):
        rows = [tokenizer(t, padding="max_length", max_length=tokenizer.model_max_length, truncation=True).input_ids for t in TEXTS]
        ids = [tokenizer(t, add_special_tokens=False).input_ids for t in TEXTS]
        for row, own in zip(rows, ids):
            want = [tokenizer.bos_token_id, *own[:75], tokenizer.eos_token_id]
            assert row == want + [tokenizer.pad_token_id] * (77 - len(want)), "padding is as its rule says"
        kinds.append({"name": name, "files": files, "bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id, "ids": ids})

    for name, files in KINDS.items():
        (root / "tokenizer_config.json").write_text(json.dumps(files["config"]))
        (root / "special_tokens_map.json").write_text(json.dumps(files["specialTokens"]))
        tokenizer = CLIPTokenizer.from_pretrained(root)
        add(name, files, tokenizer)
        saved = root / f"saved{len(kinds)}"
        tokenizer.save_pretrained(saved)
        whole = json.loads((saved / "tokenizer.json").read_text())
        # The tests put these two back.
        whole["model"]["vocab"], whole["model"]["merges"] = {}, []
        config = json.loads((saved / "tokenizer_config.json").read_text())
        add(f"{name}, as saved anew", {"tokenizer": whole, "config": config}, CLIPTokenizer.from_pretrained(saved))

    # Rows of each word follow those of the vocabulary, in order.
    words = [["<cat-toy>", 3], ["blob", 1], ["<cat>", 2]]
    for word, count in words:
        tokenizer.add_tokens([word, *[f"{word}_{i}" for i in range(1, count)]])
    texts = ["a photo of <cat-toy> on mars", "<cat-toy>", "the<cat-toy>cat blob", "Blobby BLOB, blob", "<cat>, <cat-toy> and <cat>", "no word"]
    expand = TextualInversionLoaderMixin().maybe_convert_prompt
    converted = [tokenizer(expand(text, tokenizer), add_special_tokens=False).input_ids for text in texts]
    learned = {"words": words, "texts": texts, "ids": converted}

note = "ids of transformers' CLIPTokenizer by tools/golden/clip_tokenizer.py"
OUT.write_text(json.dumps({"note": note, "merges": MERGES, "texts": TEXTS, "kinds": kinds, "learned": learned}, ensure_ascii=True, separators=(",", ":")) + "\n")
