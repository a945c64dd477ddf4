"""What the environment says of a cluster, and what is refused."""

import json
import re
import socket

import pytest

from vae_tf1 import Cluster, VariationalAutoencoder

SLURM = {
    "SLURM_PROCID": "3",
    "SLURM_STEP_NODELIST": "n[9-10]",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
    "SLURM_STEP_NUM_TASKS": "4",
}


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    for name in ("TF_CONFIG", "SLURMD_NODENAME", "SLURM_LOCALID", *SLURM):
        monkeypatch.delenv(name, raising=False)


def tf_config(cluster: object, task: object) -> str:
    return json.dumps({"cluster": cluster, "task": task, "environment": "cloud"})


@pytest.mark.parametrize(
    ("cluster", "task", "workers", "index"),
    [
        ({"worker": ["a:1", "b:2"]}, {"type": "worker", "index": 1}, ("a:1", "b:2"), 1),
        (  # Kubeflow gives the index of a task as a text, Vertex a chief
            {"worker": ["b:2"], "chief": ["a:1"]},
            {"type": "worker", "index": "0"},
            ("a:1", "b:2"),
            1,
        ),
        (  # SageMaker
            {"master": ["algo-1:2222"], "worker": ["algo-2:2222"]},
            {"type": "master", "index": 0},
            ("algo-1:2222", "algo-2:2222"),
            0,
        ),
        ({"worker": ["[::1]:1"]}, {"type": "worker", "index": 0}, ("[::1]:1",), 0),
    ],
)
def test_tf_config_names_the_workers_the_chief_first(monkeypatch, cluster, task, workers, index):
    monkeypatch.setenv("TF_CONFIG", tf_config(cluster, task))
    found = Cluster.from_environment()
    assert (found.workers, found.index) == (workers, index)
    assert found.is_chief == (index == 0)


WORKER = {"type": "worker", "index": 0}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "TF_CONFIG cannot be read"),
        (tf_config({}, WORKER), "TF_CONFIG has no worker 0"),
        (tf_config({"worker": ["a:1"]}, {}), "TF_CONFIG has a task None"),
        (tf_config({"worker": ["a:1"]}, {"type": "worker", "index": 1}), "has no worker 1"),
        (tf_config({"worker": ["a:1"]}, {"type": "worker", "index": "x"}), "cannot be read"),
        (tf_config({"worker": ["a:1"], "ps": ["b:1"]}, WORKER), "has a task 'ps'"),
        (tf_config({"worker": ["a:1"]}, {"type": "evaluator", "index": 0}), "task 'evaluator'"),
        (tf_config({"worker": ["a"]}, WORKER), "such as 'host:2222', not 'a'"),
        (tf_config({"worker": ["a:99999"]}, WORKER), "not 'a:99999'"),
        (tf_config({"worker": ["a:1", "a:1"]}, WORKER), "names an address twice"),
    ],
)
def test_a_wrong_tf_config_is_refused_in_one_sentence(monkeypatch, value, message):
    monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(ValueError, match=message) as refused:
        Cluster.from_environment()
    assert "\n" not in str(refused.value)


def test_slurm_names_the_workers_in_its_own_order(monkeypatch):
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    found = Cluster.from_environment(port=5000)
    assert found.workers == ("n9:5000", "n9:5001", "n10:5000", "n10:5001")
    assert found.index == 3
    monkeypatch.setenv("SLURMD_NODENAME", "n9")
    monkeypatch.setenv("SLURM_LOCALID", "1")
    with pytest.raises(ValueError, match="--distribution=block"):
        Cluster.from_environment("slurm")
    monkeypatch.delenv("SLURM_STEP_NODELIST")
    with pytest.raises(ValueError, match="SLURM_STEP_NODELIST"):
        Cluster.from_environment("slurm")


def test_no_description_at_all_is_refused():
    with pytest.raises(ValueError, match="neither TF_CONFIG nor Slurm's SLURM_PROCID is set"):
        Cluster.from_environment()
    with pytest.raises(ValueError, match="kind must be one of 'tf_config', 'slurm'"):
        Cluster.from_environment("mpi")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": "a:1", "index": 0}, "must be a list of addresses, not 'a:1'"),
        ({"workers": ["a:1"], "index": 1}, "from 0 to 0, not 1"),
        ({"workers": ["a:1"], "index": True}, "not True"),
        ({"workers": ["a:1"], "index": 0, "wait": 0}, "wait must be a positive number"),
        ({"workers": ["a:1"], "index": 0, "timeout": -1}, "timeout must be a positive number"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Cluster(**arguments)


def test_a_port_in_use_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        cluster = Cluster([address, "127.0.0.1:9"], 0, wait=1)
        with pytest.raises(OSError, match=rf"cannot listen on {address}: Address already in use"):
            VariationalAutoencoder(6, [4, 2], cluster=cluster)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"batch_sz": 8, "bound": None, "data*": "a"}, "differ in batch_sz: 4 and 8"),
        ({"batch_sz": 4, "bound": {"beta": 2}, "data*": "a"}, 'in bound: null and {"beta": 2}'),
        ({"batch_sz": 4, "data*": "a", "TensorFlow": "3"}, 'in TensorFlow: null and "3"'),
        ({"batch_sz": 4, "data*": "b"}, "differ in data"),
    ],
)
def test_the_first_difference_is_named(monkeypatch, other, message):
    cluster = Cluster(["a:1", "b:2"], 1)
    chief = {"batch_sz": 4, "bound": None, "data*": "a"}
    monkeypatch.setattr(cluster, "gather", lambda mine: [chief, mine])
    cluster.agree(chief)
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        cluster.agree(other)
    assert str(refused.value).endswith(message)
    assert "worker 0 (a:1) and worker 1 (b:2)" in str(refused.value)


def test_something_else_in_place_of_a_cluster_is_refused():
    with pytest.raises(TypeError, match=r"must be a vae_tf1\.Cluster, not 'localhost:1'"):
        VariationalAutoencoder(6, [4, 2], cluster="localhost:1")


@pytest.mark.full
def test_a_cluster_of_one_worker_is_a_process_alone():
    cluster = Cluster(["127.0.0.1:9"], 0)
    with (
        VariationalAutoencoder(6, [4, 2], seed=1) as alone,
        VariationalAutoencoder(6, [4, 2], seed=1, cluster=cluster) as vae,
    ):
        X = [[0, 1, 0, 1, 1, 0]] * 8
        options = {"epochs": 2, "batch_sz": 4, "progress": False, "plot": False}
        assert vae.fit(X, **options) == alone.fit(X, **options)
