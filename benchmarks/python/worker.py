"""Measures a Python library when asked to: a request a line on stdin, an answer a line on stdout, arrays in files of raw f32.

python3 worker.py numpy
python3 worker.py torch eager|compile
"""

import json
import sys
import time
from pathlib import Path


def main():
    library, *mode = sys.argv[1:]
    if library == "numpy":
        from with_numpy import Library
    else:
        from with_torch import Library
    lib = Library(*mode)
    say({"version": lib.version, "adapter": lib.adapter})
    run = result = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            if request["do"] == "prepare":
                run = lib.prepare(request, {name: lib.load(x["file"], x["shape"]) for name, x in request["inputs"].items()})
            elif request["do"] == "run":
                result = run()
            elif request["do"] == "wait":
                lib.wait()
            elif request["do"] == "time":
                answer = timed(lib, run, request["runs"])
            elif request["do"] == "read":
                answer = {"files": [write(request["folder"], i, lib.dump(x)) for i, x in enumerate(result)]}
            elif request["do"] == "forget":
                run = result = None  # they hold the arrays of a workload
                lib.forget()
        except Exception as error:  # the parent reports it
            answer = {"problem": f"{type(error).__name__}: {error}"}
        say(answer)


def timed(lib, run, runs):
    """Milliseconds of wall clock and of CPU time for each of some runs that are waited for once."""
    begun, before = time.perf_counter(), time.process_time()
    for _ in range(runs):
        run()
    lib.wait()
    wall, cpu = time.perf_counter() - begun, time.process_time() - before
    return {"wall": 1000 * wall / runs, "cpu": 1000 * cpu / runs}


def write(folder, index, numbers):
    path = Path(folder) / f"output-{index}.f32"
    path.write_bytes(numbers)
    return str(path)


def say(answer):
    sys.stdout.write(json.dumps({"worker": answer}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
