"""Writes packages/cli/src/train/events/events.golden.json: a file of events as TensorBoard itself writes it, in base64, read back by its
own reader before it is kept.

Run from the repository root with tensorboard (made with 2.21.0) installed: python tools/golden/tensorboard_events.py
"""

import base64
import io
import json
import tempfile
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

OUT = Path(__file__).parents[2] / "packages/cli/src/train/events/events.golden.json"


def main():
    image = Summary.Image(height=300, width=2, colorspace=3, encoded_image_string=bytes(range(200)))
    events = [
        Event(wall_time=1700000000.25, file_version="brain.Event:2"),
        Event(wall_time=1700000000.25, step=1, summary=Summary(value=[Summary.Value(tag="loss", simple_value=0.6931471805599453), Summary.Value(tag="gradNorm", simple_value=0)])),
        Event(wall_time=1700000000.25, step=5_000_000_000, summary=Summary(value=[Summary.Value(tag="loss", simple_value=-1.5)])),
        Event(wall_time=1700000000.25, step=300, summary=Summary(value=[Summary.Value(tag="Bilder ä", image=image)])),
    ]
    file = io.BytesIO()
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString(deterministic=True))
    data = file.getvalue()
    with tempfile.NamedTemporaryFile(suffix=".tfevents") as copy:
        copy.write(data)
        copy.flush()
        assert list(LegacyEventFileLoader(copy.name).Load()) == events
    OUT.write_text(json.dumps({"made with": "tools/golden/tensorboard_events.py; tensorboard 2.21.0", "file": base64.b64encode(data).decode()}) + "\n")


main()
