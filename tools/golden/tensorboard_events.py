"""Reads the event files of a folder with TensorBoard's own reader and prints them as JSON, a line an event: what the writer of
packages/cli is held to.

Run with tensorboard (2.20.0) installed: python tools/golden/tensorboard_events.py FOLDER
"""

import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

for path in sorted(Path(sys.argv[1]).glob("*tfevents*")):
    for event in LegacyEventFileLoader(str(path)).Load():
        values = [
            {"tag": v.tag, "image": [v.image.height, v.image.width, len(v.image.encoded_image_string)]} if v.HasField("image")
            else {"tag": v.tag, "value": v.simple_value}
            for v in event.summary.value
        ]
        print(json.dumps({"step": event.step, "version": event.file_version, "time": event.wall_time, "values": values}))
