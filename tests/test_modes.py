"""The model's tests in the other two ways to run TensorFlow: all promises hold there too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODELS = [
    "test_autoencoder.py",
    "inference",
    "test_likelihoods.py",
    "test_priors.py",
    "test_flows.py",
    "test_conditional.py",
    "model/test_golden.py",
    "model/test_bound.py",
    "model/test_layers.py",
    "model/test_optimizers.py",
    "training/test_training.py",
    "training/test_resume.py",
    "training/test_validation.py",
    "training/test_binarization.py",
    "checkpoint/test_checkpoint.py",
]
# What a test says of eager mode alone.
ONLY_EAGERLY = "not under_a_tape and not kill_9 and not sigterm"


@pytest.mark.full
@pytest.mark.parametrize("mode", ["graph", "v1"])
def test_the_model_is_the_same_without_eager_execution(mode):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-n", "0", "-x", "-p", "no:cacheprovider"),
            *("-m", "not full and not eager", "-k", ONLY_EAGERLY),
            *(str(HERE / name) for name in MODELS),
        ],
        env={**os.environ, "VAE_TF1_MODE": mode},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
