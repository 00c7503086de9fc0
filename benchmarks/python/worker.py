"""Measures a Python library when asked to: a request a line on stdin, an answer a line on stdout, arrays in files of raw f32.

python3 worker.py numpy
python3 worker.py torch eager|compile
"""

import json
import math
import sys
import time
from pathlib import Path

import numpy as np

SHORT_RUN = 0.004  # seconds; shorter runs are timed in groups that are waited for once
MAX_GROUP = 100


def main():
    library, *mode = sys.argv[1:]
    if library == "numpy":
        from with_numpy import Library
    else:
        from with_torch import Library
    lib = Library(*mode)
    say({"version": lib.version, "adapter": lib.adapter})
    run, group = None, 1
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            if request["do"] == "prepare":
                run, group = lib.prepare(request, arrays(request["inputs"])), None
            elif request["do"] == "run":
                result = run()
            elif request["do"] == "wait":
                lib.wait()
            elif request["do"] == "time":
                if group is None:
                    wall, _ = timed(lib, run, 1)
                    group = min(MAX_GROUP, math.ceil(SHORT_RUN / wall)) if wall < SHORT_RUN else 1
                wall, cpu = timed(lib, run, group)
                answer = {"wall": 1000 * wall, "cpu": 1000 * cpu}
            elif request["do"] == "read":
                answer = {"files": [write(request["folder"], i, lib.numbers(x)) for i, x in enumerate(result)]}
        except Exception as error:  # the parent reports it
            answer = {"problem": f"{type(error).__name__}: {error}"}
        say(answer)


def timed(lib, run, group):
    """Seconds of wall clock and of CPU time for one run of a group."""
    begun, before = time.perf_counter(), time.process_time()
    for _ in range(group):
        run()
    lib.wait()
    return (time.perf_counter() - begun) / group, (time.process_time() - before) / group


def arrays(inputs):
    return {name: np.fromfile(x["file"], np.float32).reshape(x["shape"]) for name, x in inputs.items()}


def write(folder, index, numbers):
    path = Path(folder) / f"output-{index}.f32"
    np.ascontiguousarray(numbers, np.float32).tofile(path)
    return str(path)


def say(answer):
    sys.stdout.write(json.dumps({"worker": answer}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
