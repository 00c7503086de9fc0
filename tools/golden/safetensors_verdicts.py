"""Writes packages/core/src/io/header.golden.json: mutated headers and whether the reference implementation opens them.

Run from the repository root with safetensors (made with 0.8.0) installed: python tools/golden/safetensors_verdicts.py
With a count and a path it writes that many there instead, which the test reads when ANTIPODE_VERDICTS names it:
python tools/golden/safetensors_verdicts.py 20000 /tmp/verdicts.json
"""

import json
import random
import sys
from pathlib import Path

from safetensors import deserialize

OUT = Path(__file__).parents[2] / "packages/core/src/io/header.golden.json"
count = int(sys.argv[1]) if len(sys.argv) > 2 else 240
out = Path(sys.argv[2]) if len(sys.argv) > 2 else OUT
rng = random.Random(7)

SIZES = ["0", "1", "2", "2.0", "1e0", "-0", "-1", "01", "+1", "9007199254740993", "1e999", "null", '"1"', "[]", "[1]", "{}", "true", ""]
NAMES = ['"a"', '"b"', '"\\u0061"', '"\\ud800"', '"\\ud83d\\ude00"', '"\\udc00\\ud800"', '"é"', '"\\x"', '"\t"', '"__metadata__"', "a", "''", '""']
STRINGS = ['"x"', '"\\ud800"', "1", "null", "{}", "[]", '"\\u12"', "true", '"\\/"']
DTYPES = ['"F32"', '"F16"', '"U8"', '"BOOL"', '"F64"', '"F31"', '"f32"', '"C64"', '"F4"', "32", "null", '["F32"]', '{"F32":null}', '"F\\u0033\\u0032"']
FIELDS = ['"dtype"', '"shape"', '"data_offsets"', '"more"', '"__metadata__"']


def nested(depth):
    return "[" * depth + rng.choice(["", "1", "1e999", '"\\ud800"', "null"]) + "]" * depth


def extra():
    return rng.choice([nested(rng.choice([1, 3, 100, 124, 125, 126, 127, 128, 200])), "{}", '{"k":1,"k":2}', "2.5", "-1e-400", "nul", '"x"', "1e999"])


def tensor(begin, end, shape, dtype='"F32"'):
    fields = [('"dtype"', dtype), ('"shape"', f"[{','.join(shape)}]"), ('"data_offsets"', f"[{begin},{end}]")]
    kind = rng.random()
    if kind < 0.1:
        fields.append(('"more"', extra()))
    elif kind < 0.15:
        fields.append((rng.choice(FIELDS), rng.choice(SIZES + DTYPES)))
    elif kind < 0.2:
        fields.pop(rng.randrange(3))
    elif kind < 0.23:
        return f"[{','.join(value for _, value in fields)}]"
    elif kind < 0.26:
        return extra()
    rng.shuffle(fields)
    return "{" + ",".join(f"{k}:{v}" for k, v in fields) + "}"


def header():
    """A header that is right but for a change or two, and how many bytes of data belong to it."""
    parts, at = [], 0
    for name in ['"a"', '"b"'][: rng.choice([1, 1, 2])]:
        shape, dtype, size = rng.choice([(["1"], '"F32"', 4), (["2", "1"], '"F16"', 4), ([], '"U8"', 1), (["0"], '"F32"', 0)])
        begin, end = str(at), str(at + size)
        at += size
        spot = rng.randrange(12)
        if spot == 0:
            shape = shape + [rng.choice(SIZES)]
        elif spot == 1 and shape:
            shape = [rng.choice(SIZES)] + shape[1:]
        elif spot == 2:
            begin = rng.choice(SIZES)
        elif spot == 3:
            end = rng.choice(SIZES)
        elif spot == 4:
            dtype = rng.choice(DTYPES)
        elif spot == 5:
            name = rng.choice(NAMES)
        parts.append(f"{name}:{tensor(begin, end, shape, dtype)}")
    if rng.random() < 0.3:
        items = [f"{rng.choice(NAMES)}:{rng.choice(STRINGS)}" for _ in range(rng.randrange(3))]
        parts.append('"__metadata__":' + (rng.choice(["{" + ",".join(items) + "}"] * 6 + STRINGS + [nested(126)])))
    rng.shuffle(parts)
    text = "{" + ",".join(parts) + "}"
    kind = rng.random()
    if kind < 0.1:
        i = rng.randrange(len(text))
        text = text[:i] + rng.choice(['"', "{", "}", "[", "]", ",", ":", " ", "0", "\\", ""]) + text[i + rng.randrange(2):]
    elif kind < 0.14:
        text = rng.choice([" ", "\n", "\ufeff", "\u00a0", "\0"]) + text
    elif kind < 0.2:
        text += rng.choice([" ", "  \n\t\r", "\0", "\u00a0", "}", "{}", "1"])
    return text, max(0, at + rng.choice([0] * 12 + [1, -1]))


def accepted(text, data):
    raw = text.encode()
    try:
        deserialize(len(raw).to_bytes(8, "little") + raw + bytes(data))
        return True
    except Exception:
        return False


cases = []
for _ in range(count):
    text, data = header()
    cases.append([accepted(text, data), data, text])
out.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
