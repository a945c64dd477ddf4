"""The main job on several machines: it joins by itself, and only the chief writes."""

import json
import os
import subprocess
import sys

import pytest
from support.ports import free_addresses
from support.run_mnist_runs import PROGRAM, environment, is_png

TIMEOUT = 240  # seconds; far beyond what anything here takes on a machine that is not busy
QUICK = ("--limit", "640", "--epochs", "1", "--layers", "8", "4", "--seed", "1", "--no-prompts")


def start(folder, data, *arguments, **variables):
    return subprocess.Popen(
        [sys.executable, PROGRAM, *QUICK, "--data", data, *arguments],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.full
def test_two_programs_with_tf_config_train_together_and_the_chief_alone_writes(
    tmp_path, few_digits
):
    addresses = free_addresses(2)
    running = []
    for index in range(2):
        folder = tmp_path / str(index)
        folder.mkdir()
        described = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        running.append(start(folder, few_digits, TF_CONFIG=json.dumps(described)))
    (chief, _), (other, errors) = (each.communicate(timeout=TIMEOUT) for each in running)
    assert [each.returncode for each in running] == [0, 0], errors
    assert "cluster: worker 0 of 2 by TF_CONFIG, the chief, which writes" in chief
    assert "cluster: worker 1 of 2 by TF_CONFIG, which writes nothing" in other
    assert "test ELBO" in chief
    assert "test ELBO" not in other
    pictures = list((tmp_path / "0" / "output").glob("*.png"))
    assert pictures
    assert all(map(is_png, pictures))
    assert list((tmp_path / "1").iterdir()) == []


@pytest.mark.full
def test_a_task_of_slurm_whose_peer_does_not_come_ends_with_status_75(tmp_path, few_digits):
    slurm = {
        "SLURM_PROCID": "0",
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_STEP_TASKS_PER_NODE": "2",
        "SLURM_STEP_NUM_TASKS": "2",
    }
    with start(tmp_path, few_digits, "--cluster", "slurm", "--wait", "1", **slurm) as job:
        out, errors = job.communicate(timeout=TIMEOUT)
    assert job.returncode == 75
    assert "cluster: worker 0 of 2 by Slurm" in out
    assert errors.splitlines()[-1].startswith(
        "vae_tf1: worker 1 (localhost:8889) did not come within 1 s"
    )


def test_a_wrong_tf_config_is_one_sentence_and_one_worker_is_no_cluster(monkeypatch):
    from vae_tf1.app import workers
    from vae_tf1.app.errors import JobError
    from vae_tf1.app.options import parse_options

    options = parse_options([])
    for value in (
        "",
        "{}",
        '{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
    ):
        monkeypatch.setenv("TF_CONFIG", value)
        assert workers.find(options) is None
    monkeypatch.setenv("TF_CONFIG", "{")
    with pytest.raises(JobError, match="TF_CONFIG cannot be read"):
        workers.find(options)
    monkeypatch.delenv("TF_CONFIG")
    for name in [name for name in os.environ if name.startswith("SLURM")]:
        monkeypatch.delenv(name)
    assert workers.find(options) is None
    with pytest.raises(JobError, match="SLURM_STEP_NODELIST"):
        workers.find(parse_options(["--cluster", "slurm"]))
