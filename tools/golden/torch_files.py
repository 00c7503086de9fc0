"""Writes packages/core/src/io/torch/torch-files.golden.json: small files as torch.save writes them, with the tensors in them, and files
that must be refused.

Run from the repository root with torch (made with 2.15) installed: python tools/golden/torch_files.py
"""

import base64
import io
import json
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch

OUT = Path(__file__).parents[2] / "packages/core/src/io/torch/torch-files.golden.json"
DTYPES = {
    torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}


def saved(value, **options) -> bytes:
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def entry(data: bytes, tensors: dict) -> dict:
    return {
        "base64": base64.b64encode(data).decode(),
        "tensors": {
            name: {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "values": t.double().flatten().tolist()}
            for name, t in tensors.items()
        },
    }


def archive(pkl: bytes, files: dict[str, bytes], compression=zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as z:
        z.writestr("archive/data.pkl", pkl)
        for name, data in files.items():
            z.writestr(f"archive/{name}", data)
    return out.getvalue()


def in_64_bits(data: bytes) -> bytes:
    """The same archive, with the place of its directory in the record that archives over 4 GiB have."""
    end = data.rindex(b"PK\x05\x06")
    count, size, offset = struct.unpack("<HII", data[end + 10 : end + 20])
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    last = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:end] + record + locator + last


class Calls:
    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def main() -> None:
    every = {name: torch.tensor([-2, 0, 1, 7], dtype=dtype) for dtype, name in DTYPES.items()}
    every |= {"scalar": torch.tensor(0.25), "empty": torch.zeros(0, 3)}
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    views = {
        "whole": base, "turned": base.T, "part": base[1:3, 2:5], "steps": base[:, ::2], "turned part": base[1:3, 2:5].T,
        "column": base[:, 3], "bf16 steps": base.bfloat16()[::2].T, "last": base[3, 5],
    }
    layer = torch.nn.Linear(2, 3)
    state = layer.state_dict()
    nested = {
        "epoch": 3, "global_step": 2**40, "lr": 1e-4, "name": "run é", "flags": [True, False, None, (1, -1, 300, 70000)],
        "hyper_parameters": {"width": 2, "deep": {"er": []}}, "state_dict": OrderedDict(state),
    }
    plain = saved(every)
    with zipfile.ZipFile(io.BytesIO(plain)) as z:
        inside = {name.split("/", 1)[1]: z.read(name) for name in z.namelist()}
    pkl = inside.pop("data.pkl")
    opened = {
        "every dtype": entry(plain, every),
        "views of shared storages": entry(saved(views), views),
        "a state_dict with its versions": entry(saved(state), state),
        "a state_dict in a training state": entry(saved(nested), state),
        "parameters": entry(saved({"weight": layer.weight}), {"weight": layer.weight.detach()}),
        "pickle protocol 4": entry(saved(every, pickle_protocol=4), every),
        "an archive of 64 bits": entry(in_64_bits(plain), every),
    }
    os_system = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."
    refused = {
        "a pickle that imports os": (archive(os_system, {}), '"os.system"'),
        "a pickle that evaluates": (archive(pickle.dumps(Calls(eval, "1"), protocol=2), {}), '"__builtin__.eval"'),
        "a pickle that evaluates, protocol 4": (archive(pickle.dumps(Calls(eval, "1"), protocol=4), {}), '"builtins.eval"'),
        "a pickle that makes an object": (archive(pickle.dumps(torch.device, protocol=2), {}), '"torch.device"'),
        "a whole module": (saved(layer), '"torch.nn.modules.linear.Linear"'),
        "bytes": (archive(pickle.dumps({"a": b"x"}, protocol=4), {}), "SHORT_BINBYTES"),
        "a set": (archive(pickle.dumps({"a": {1}}, protocol=4), {}), "EMPTY_SET"),
        "a file of torch before 1.6": (saved(every, _use_new_zipfile_serialization=False), "one of torch before 1.6"),
        "a compressed archive": (archive(pkl, inside, zipfile.ZIP_DEFLATED), "a compressed one"),
        "an archive without its numbers": (archive(pkl, {}), "bytes for \"F32\", got none"),
        "an archive with fewer numbers": (archive(pkl, {**inside, "data/0": b"123"}), "16 bytes for \"F32\", got 3"),
        "big-endian numbers": (archive(pkl, {**inside, "byteorder": b"big"}), "expected little-endian numbers"),
        "a program": (archive(pkl, {**inside, "constants.pkl": b""}), "a program of TorchScript"),
        "an archive of something else": (archive(pkl, {}).replace(b"archive/data.pkl", b"archive/text.txt"), "an archive of archive/text.txt"),
        "a tensor of many elements in few": (saved({"a": torch.zeros(1).expand(1000)}), "at most 1 elements"),
        "no tensors": (saved({"a": 1, "b": [2]}), "expected one dictionary of tensors, got none"),
        "two dictionaries": (saved({"a": {"x": base}, "b": {"x": base}}), "got 2: a, b"),
    }
    golden = {
        "note": f"torch {torch.__version__}; values are exact, row-major. tools/golden/torch_files.py",
        "opened": opened,
        "refused": {name: {"base64": base64.b64encode(data).decode(), "got": got} for name, (data, got) in refused.items()},
    }
    OUT.write_text(json.dumps(golden, indent=1) + "\n")


main()
