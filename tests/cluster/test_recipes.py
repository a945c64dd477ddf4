"""The recipes of docs/cluster.md, as far as one machine can try them."""

import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

import vae_tf1
from vae_tf1.app.options import parse_options

RECIPES = Path(__file__).parents[2] / "examples" / "cluster"


def test_the_slurm_script_is_one_and_its_options_are_known():
    script = RECIPES / "slurm.sh"
    if shutil.which("bash"):
        subprocess.run(["bash", "-n", str(script)], check=True)
    text = script.read_text().replace("\\\n", " ")
    command = re.search(r"python run_mnist\.py (.*)", text)
    options = parse_options(command[1].replace('"', "").split())
    assert options.cluster == "slurm"
    assert {"--distribution=block"} <= set(re.findall(r"^#SBATCH (\S+)", text, re.MULTILINE))
    assert "75 | 137" in text


def test_the_tfjob_has_the_fields_of_its_kind_and_its_options_are_known():
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load((RECIPES / "tfjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("kubeflow.org/v1", "TFJob")
    (replicas,) = job["spec"]["tfReplicaSpecs"].values()
    assert set(job["spec"]["tfReplicaSpecs"]) == {"Worker"}
    assert replicas["replicas"] > 1
    assert replicas["restartPolicy"] == "OnFailure"  # ExitCode takes 75 for a final one
    pod = replicas["template"]["spec"]
    (container,) = pod["containers"]
    assert container["name"] == "tensorflow"
    program, *options = [*container["command"][1:], *container["args"]]
    assert program == "run_mnist.py"
    assert parse_options(options).batch_size == 1024
    (mount,), (volume,) = container["volumeMounts"], pod["volumes"]
    assert mount["name"] == volume["name"]


def test_ray_runs_a_function_that_trains_as_one_of_its_workers(monkeypatch, tmp_path, few_digits):
    train = runpy.run_path(str(RECIPES / "ray_trainer.py"))["train"]
    monkeypatch.setenv("VAE_TF1_DATA", str(few_digits))
    described = {"cluster": {"worker": ["127.0.0.1:9"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(described))
    train({"epochs": 1, "checkpoint_dir": str(tmp_path)})
    with vae_tf1.VariationalAutoencoder.load(tmp_path) as vae:
        assert len(vae.costs) == 1


def test_ray_is_told_of_a_lost_worker_by_an_exception(monkeypatch, tmp_path, few_digits):
    train = runpy.run_path(str(RECIPES / "ray_trainer.py"))["train"]
    monkeypatch.setenv("VAE_TF1_DATA", str(few_digits))
    described = {"cluster": {"worker": ["127.0.0.1:9"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(described))

    def lost(*arguments, **options):
        raise vae_tf1.PeerLost("worker 1 has ended")

    monkeypatch.setattr(vae_tf1.VariationalAutoencoder, "fit", lost)
    with pytest.raises(RuntimeError, match="worker 1 has ended"):
        train({"epochs": 1, "checkpoint_dir": str(tmp_path)})
