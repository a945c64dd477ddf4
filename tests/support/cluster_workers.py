"""Start workers of a cluster, each in a fork of one process that has imported TensorFlow.

Usage: cluster_workers.py

Reads a line of JSON, a list of workers, from standard input, and answers with a line of their
process ids; reads `null`, and answers with their exit statuses when all have ended. A worker is

    folder, name        where it leaves NAME.json, NAME.out, NAME.err and NAME.epoch
    environment         variables to set
    cluster             arguments of Cluster; "environment" stands for those of from_environment
    rows, data_seed     of its images
    model, fit          arguments of the model and of fit, beside small ones
    at                  [epoch, signal, seconds after]: a signal that it sends itself
"""

import faulthandler
import hashlib
import json
import os
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

from vae_tf1 import Cluster, VariationalAutoencoder
from vae_tf1.training.trainer import Trainer

D = 28


def work(worker: dict) -> None:
    """Train, and leave what came out."""
    folder, name = Path(worker["folder"]), worker["name"]
    os.environ.update(worker.get("environment", {}))
    rng = np.random.default_rng(worker.get("data_seed", 0))
    X = rng.random((worker.get("rows", 600), D)) < 0.3

    def epoch_end(epoch: int, logs: dict) -> None:
        Path(folder, f"{name}.epoch").write_text(str(epoch + 1))
        at = worker.get("at")
        if at and at[0] == epoch + 1:
            threading.Timer(at[2], os.kill, (os.getpid(), at[1])).start()

    arguments = worker.get("cluster")
    if arguments is None:
        cluster = None
    elif "environment" in arguments:
        cluster = Cluster.from_environment(**arguments["environment"])
    else:
        cluster = Cluster(**arguments)
    model = {"seed": 3, **worker.get("model", {})}
    fit = {"epochs": 4, "batch_sz": 17, "compile": False, **worker.get("fit", {})}
    with VariationalAutoencoder(D, [20, 5], cluster=cluster, **model) as vae:
        if "chunk_steps" in worker:
            vae._trainer = Trainer(
                vae, vae._team, chunk_steps=worker["chunk_steps"], chunk_seconds=1e9
            )
        began = time.monotonic()
        try:
            costs = vae.fit(X, progress=False, plot=False, callbacks=[epoch_end], **fit)
        finally:
            seconds = time.monotonic() - began
            weights = vae.sess.run([*vae.variables, *vae.updates.changing(vae.variables)])
            result = {
                "weights": hashlib.sha256(b"".join(w.tobytes() for w in weights)).hexdigest(),
                "costs": vae.costs,
                "history": vae.validation_history,
                "seed": vae.seed,
                "seconds": seconds,
            }
            Path(folder, f"{name}.json").write_text(json.dumps(result))
    assert costs


def fork(worker: dict) -> int:
    """Return the process id of a worker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # nothing of TensorFlow's runs yet
        child = os.fork()
    if child:
        return child
    base = Path(worker["folder"], worker["name"])
    for number, ending in ((1, ".out"), (2, ".err")):
        file = os.open(f"{base}{ending}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    faulthandler.dump_traceback_later(300, exit=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    work(worker)  # and end as any program does
    sys.exit(0)


def main() -> None:
    """Answer one line after the other."""
    pids: list[int] = []
    for line in iter(sys.stdin.readline, ""):
        workers = json.loads(line)
        if workers is None:
            answer = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
            pids = []
        else:
            answer = [fork(worker) for worker in workers]
            pids += answer
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
