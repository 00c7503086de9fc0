"""Writes packages/models/src/tokenizers/clip-bpe.golden.json: merges and vocabulary that Hugging Face's BpeTrainer learns
from some captions, and the ids that transformers' CLIPTokenizer gives to texts by them.

BpeTrainer numbers the tokens that end words in the order in which a hash table has them, and breaks ties by numbers. So
it is told their order, as special tokens, which are numbered first and change nothing else.
Run from the repository root with tokenizers (made with 0.23.3) and transformers (5.24.0) installed:
python tools/golden/clip_bpe.py
"""

import json
import tempfile
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

OUT = Path(__file__).parents[2] / "packages/models/src/tokenizers/clip-bpe.golden.json"
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"

COLOURS = ["red", "dark red", "blue", "light blue", "green", "yellowish green", "orange", "grey", "greyish"]
THINGS = ["square", "circle", "triangle", "hexagon", "ring", "star", "starfish", "crown"]
PLACES = ["on white", "on a white ground", "in the corner", "in the middle", "beside another one"]
CAPTIONS = [
    *(f"a {COLOURS[(3 * i) % 9]} {THINGS[(5 * i) % 8]} {PLACES[(2 * i) % 5]}" for i in range(40)),
    "A crème brûlée in a café", "The CAFÉ's crème brûlée", "crème fraîche, two cafés", "cafe\u0301 cre\u0300me",
    "it's a dog's house, isn't it?", "they're the dogs that we've seen", "I'll say: they'd better", "dogs' houses!!!",
    "wow!!!! so many stars!!!!!", "!!! ... !!!", "aaaa aaaaa aaaaaaa aaah", "hahaha hahahaha haha", "100 stars, 25 rings, 1 crown",
    "2026-12-01 and 1999", "a cat 🐈 and a cat 🐈🐈", "🐈 on a red square", "  a   red\tsquare \n on  white ",
    "ΣΊΣΥΦΟΣ and σίσυφος", "a square <|endoftext|> squared", "squarely squares the squared squaring squad",
]  # fmt: skip
TEXTS = [
    "a dark red square on white", "two greyish starfishes", "", "CAFÉ CRÈME", "it's isn't they've", "!!!!!! aaaaaaaa",
    "the 🐈 of Σίσυφος", "2026 squares", "a red<|endoftext|>circle", "火星 unseen zyx",
]  # fmt: skip
RUNS = [{"vocabularySize": 700, "minFrequency": 2}, {"vocabularySize": 600, "minFrequency": 1}, {"vocabularySize": 4000, "minFrequency": 3}]


def blank():
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    split = pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return tokenizer


def learn(vocabularySize, minFrequency):
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = blank()
    # Nothing is learned from begin and end, which CLIPTokenizer cuts out before words are made.
    texts = [piece for caption in CAPTIONS for piece in caption.split(END)]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocabularySize - 2, min_frequency=minFrequency, end_of_word_suffix="</w>", initial_alphabet=symbols,
        special_tokens=[*symbols, *(s + "</w>" for s in symbols)], show_progress=False,
    ))  # fmt: skip
    model = json.loads(tokenizer.to_str())["model"]
    merges = [" ".join(pair) for pair in model["merges"]]
    tokens = [token for token, _ in sorted(model["vocab"].items(), key=lambda item: item[1])] + [BEGIN, END]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
        (Path(folder) / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
        (Path(folder) / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CLIPTokenizer"}))
        clip = CLIPTokenizer.from_pretrained(folder)
        ids = [clip(text, add_special_tokens=False).input_ids for text in TEXTS]
    return {"options": {"vocabularySize": vocabularySize, "minFrequency": minFrequency}, "tokens": tokens, "merges": merges, "ids": ids}


golden = {
    "note": "BpeTrainer of tokenizers and CLIPTokenizer of transformers by tools/golden/clip_bpe.py",
    "captions": CAPTIONS,
    "texts": TEXTS,
    "runs": [learn(**run) for run in RUNS],
}
OUT.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
