"""Train in processes that are killed at random moments, again and again, until one gets through.

Usage: training_that_dies.py FOLDER KILLS SEED

TensorFlow is imported once, and each training runs in a fork of that process, made before there is
any session. Prints the digest of the weights of a training that was left alone, how many of the
others were killed, and the digest with which the last of them ended.
"""

import hashlib
import os
import random
import signal
import sys
import time
import warnings
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

import vae_tf1.training.loop  # noqa: F401, TensorFlow comes in before the first fork
from vae_tf1 import VariationalAutoencoder

folder, kills, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
X = np.random.default_rng(0).random((1500, 20)) < 0.3


def train(checkpoint_dir: str) -> None:
    """Train to the end and leave the digest of everything learned beside the folder."""
    with VariationalAutoencoder(20, [30, 4], seed=1) as vae:
        costs = vae.fit(
            X,
            epochs=16,
            batch_sz=10,
            progress=False,
            plot=False,
            compile=False,
            checkpoint_dir=checkpoint_dir,
            save_every=1e-9,  # after every chunk, so that many kills hit a save
        )
        slots = [vae.optimizer.get_slot(v, "rms") for v in vae.variables]
        state = vae.sess.run([*vae.variables, *slots])
    digest = hashlib.sha256(b"".join(a.tobytes() for a in state) + repr(costs).encode())
    Path(checkpoint_dir + ".digest").write_text(digest.hexdigest())


def fork(checkpoint_dir: str) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # nothing of TensorFlow's runs yet
        child = os.fork()
    if child == 0:
        status = 1
        try:
            train(checkpoint_dir)
            status = 0
        finally:
            os._exit(status)
    return child


def checkpoints() -> set[str]:
    return {path.name for path in Path(folder).glob("step-*")}


_, status = os.waitpid(fork(folder + "-left-alone"), 0)
assert status == 0
moments = random.Random(seed)
killed = 0
while True:
    before = checkpoints()
    child = fork(folder)
    if killed < kills:
        if killed % 3:  # every third dies early, while it still resumes, say
            while checkpoints() <= before:
                time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.1))  # somewhere in the next steps or saves
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
    killed += 1
expected, digest = (Path(folder + end).read_text() for end in ("-left-alone.digest", ".digest"))
print(expected, killed, digest)
