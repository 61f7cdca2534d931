"""A worker process whose work is a stub: python stub_worker.py FOLDER IDLE [--loopback]. Starts at once.

The recipe says what becomes of a job: "invert" inverts, "slow" takes 20 s in steps, "soon" 2 s, "die" ends the process,
"fail" and "memory" raise.
"""

import os
import sys
import time
from pathlib import Path

from nuggy_nodes.bridge.place import Place
from nuggy_nodes.bridge.protocol import Message
from nuggy_nodes.bridge.server import Server, end_on_signals
from nuggy_nodes.bridge.talk import RequestError

STEPS = {"slow": 400, "soon": 40}


def work(job, blobs, report):
    if job.recipe == "die":
        os.kill(os.getpid(), 9)
    if job.recipe == "fail":
        raise ValueError("a bug")
    if job.recipe == "memory":
        raise RequestError("memory", "too large")
    if job.recipe == "bomb":
        raise MemoryError
    for i in range(STEPS.get(job.recipe, 1)):
        report("network", i / 400)
        time.sleep(0.05 if job.recipe in STEPS else 0)
    return Message({}, {"mask": bytes(255 - v for v in blobs["pixels"])})


if __name__ == "__main__":
    end_on_signals()
    place = Place(Path(sys.argv[1]), loopback="--loopback" in sys.argv or None)
    served = Server(place, work, idle=float(sys.argv[2]), describe=lambda: {"stub": True}).serve()
    print("served" if served else "another worker is there", flush=True)
    os._exit(0)
