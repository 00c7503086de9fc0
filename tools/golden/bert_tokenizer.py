"""Writes packages/models/src/tokenizers/bert-tokenizer.golden.json: ids that transformers' BertTokenizer gives to texts of many kinds, by a
small vocabulary of our own, from vocab.txt and from the tokenizer.json that it saves, without case and with.

Run from the repository root with transformers (made with 5.24.0) and tokenizers (0.23.3) installed: python tools/golden/bert_tokenizer.py
"""

import json
import tempfile
from pathlib import Path

from transformers import BertTokenizer

OUT = Path(__file__).parents[2] / "packages/models/src/tokenizers/bert-tokenizer.golden.json"
LENGTH = 35
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789éσςΣοδιυφΟΔ火猫한"
WORDS = """the a of photo cat dog mars horse creme brulee cafe astronaut ##s ##ing ##'s ## ##ly red The Photo CAFÉ café 2026 ##26 ##graph
##naut ! " # $ % & ' ( ) * + , - . / : ; < = > ? @ [ \\ ] ^ _ ` { | } ~ 。 ！ ’ “ — 𠀀 𝒜 ##𝒜 x""".split()
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys([*WORDS, *LETTERS, *(f"##{c}" for c in LETTERS)])]

TEXTS = [
    "a photo of the cat and the dog on mars", "", " ", "  A  Photo\n\tof\u00a0the\u3000cat ", "crème brûlée, décomposé", "CAFÉ café cafe\u0301",
    "Ångström naïve ǅ ﬁ ﬂ Ⅷ", "火星上的猫", "a火b猫", "𠀀火 a𠀀b", "猫🐈‍⬛ 👩‍🚀🏽 🇩🇪", "한국어 हिन्दी العربية ไทย", "it's the dog's, they're, don't, o'clock", "2026 1.5 x100 ½ ² ٣",
    "!!! wow! !! !", "?!...,;:", "ΣΊΣΥΦΟΣ ΟΔΟΣ σς", "İstanbul ẞ IJ", "(a:1.2) [b] {c|d} a_b-c/d\\e", "the [SEP] cat [CLS] [MASK]", "the[SEP]cat", "[sep] [PAD]",
    "\u200bzero\u200dwidth\u00ad", "\ufeffcat !\ufeff!", "tab\u0085next\u2028line", "null\0bell\a \ufffd", "the cat " * 20, "the " * 33, "the " * 34, "c" * 100 + " " + "c" * 101,
    "“the cat” — ’tis。！", "𝒜 𝒜𝒜 x𝒜", "photographing photographs astronauts",
]  # fmt: skip


def runs(name, files, tokenizer):
    ids = [tokenizer(text, add_special_tokens=False).input_ids for text in TEXTS]
    padded = [tokenizer(text, padding="max_length", truncation=True, max_length=LENGTH).input_ids for text in TEXTS]
    for row, own in zip(padded, ids):
        want = [tokenizer.cls_token_id, *own[: LENGTH - 2], tokenizer.sep_token_id]
        assert row == want + [tokenizer.pad_token_id] * (LENGTH - len(want)), "padding is as its rule says"
    return {"name": name, "files": files, "ids": ids}


kinds = []
with tempfile.TemporaryDirectory() as folder:
    root = Path(folder)
    for name, config in {"without case": {"do_lower_case": True}, "with case": {"do_lower_case": False}}.items():
        own = root / name.replace(" ", "-")
        own.mkdir()
        (own / "vocab.txt").write_text("\n".join(VOCAB) + "\n")
        (own / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer", **config}))
        tokenizer = BertTokenizer.from_pretrained(own)
        kinds.append(runs(f"vocab.txt, {name}", {"config": config}, tokenizer))
        tokenizer.save_pretrained(own / "saved")
        whole = json.loads((own / "saved/tokenizer.json").read_text())
        assert whole["model"]["vocab"] == {word: i for i, word in enumerate(VOCAB)}
        # The tests put it back.
        whole["model"]["vocab"] = {}
        kinds.append(runs(f"tokenizer.json, {name}", {"tokenizer": whole}, BertTokenizer.from_pretrained(own / "saved")))

note = "ids of transformers' BertTokenizer by tools/golden/bert_tokenizer.py"
golden = {"note": note, "length": LENGTH, "vocab": VOCAB, "texts": TEXTS, "kinds": kinds}
OUT.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
