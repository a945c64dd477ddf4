"""Which workers there are, as the program that has started this one says it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf
from tensorflow.python.distribute.cluster_resolver import slurm_cluster_resolver as slurm

from vae_tf1.checks import check_one_of
from vae_tf1.errors import one_line

__all__ = ["KINDS", "Place", "check_place", "describes_several", "find"]

TF_CONFIG, SLURM = KINDS = ("tf_config", "slurm")
_CHIEFS, _WORKERS = ("chief", "master"), "worker"  # jobs of TF_CONFIG; the first one is the chief
_ADDRESS = re.compile(r"(?P<host>[^\s:/\[\]]+|\[[0-9a-fA-F:.%]+\]):(?P<port>\d{1,5})")


class Place(NamedTuple):
    """The addresses of all workers, "host:port", and which of them this process is."""

    workers: tuple[str, ...]
    number: int


def describes_several() -> bool:
    """Whether ``TF_CONFIG`` names more than one worker, or is one that `find` refuses."""
    try:
        described = json.loads(os.environ.get("TF_CONFIG") or "{}")
        if isinstance(described, dict) and not described.get("cluster"):
            return False
        return len(_of_tf_config().workers) > 1
    except ValueError:
        return True


def find(kind: str | None, port: int) -> Place:
    """Read the environment.

    Parameters
    ----------
    kind
        One of `KINDS`; None takes ``TF_CONFIG`` if it is set, else Slurm's variables.
    port
        With Slurm, the port of a node's first worker; the next one has the next port.

    Raises
    ------
    ValueError
        If the environment does not say which workers there are.
    """
    if kind is not None:
        check_one_of(kind, "kind", KINDS)
    if kind == TF_CONFIG or (kind is None and os.environ.get("TF_CONFIG")):
        return _of_tf_config()
    if kind == SLURM or (kind is None and "SLURM_PROCID" in os.environ):
        return _of_slurm(port)
    raise ValueError(
        "no cluster is described: neither TF_CONFIG nor Slurm's SLURM_PROCID is set; give "
        "Cluster(workers, index) in place of from_environment()"
    )


def check_place(workers: object, index: object, said_by: str = "workers") -> Place:
    """Return the place, checked.

    Raises
    ------
    ValueError
        If an address is not "host:port", stands there twice, or the index is not one of them.
    """
    if isinstance(workers, str | bytes | Mapping) or not hasattr(workers, "__iter__"):
        raise ValueError(f"{said_by} must be a list of addresses, not {one_line(repr(workers))}")
    addresses = tuple(workers)
    for address in addresses:
        found = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
        if found is None or not 0 < int(found["port"]) < 1 << 16:
            raise ValueError(
                f"{said_by} must have addresses such as 'host:2222', not {one_line(repr(address))}"
            )
    if len(set(addresses)) < len(addresses):
        raise ValueError(f"{said_by} names an address twice: {', '.join(addresses)}")
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(addresses):
        raise ValueError(
            f"{said_by} has {len(addresses)} workers, so this one's index must be from 0 to "
            f"{len(addresses) - 1}, not {one_line(repr(index))}"
        )
    return Place(addresses, index)


def _of_tf_config() -> Place:
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    try:
        jobs = resolver.cluster_spec().as_dict()
        job, index = resolver.task_type, resolver.task_id
    except Exception as error:  # of JSON, of TensorFlow's own checks, of missing keys
        raise ValueError(f"TF_CONFIG cannot be read: {one_line(str(error))}") from None
    known = [*(name for name in _CHIEFS if name in jobs), _WORKERS]
    others = sorted(set(jobs) - set(known))
    if others or job not in known:
        other = others[0] if others else job
        raise ValueError(
            f"TF_CONFIG has a task {other!r}, but only 'chief' and 'worker' have a part in this "
            "training: every worker holds the whole model"
        )
    workers: list[str] = []
    for name in known:
        if name == job and isinstance(index, int) and 0 <= index < len(jobs.get(name, ())):
            index += len(workers)
            job = None
        workers += jobs.get(name, ())
    if job is not None:
        raise ValueError(f"TF_CONFIG has no {job} {index!r}, which this process is said to be")
    return check_place(workers, index, "TF_CONFIG")


def _of_slurm(port: int) -> Place:
    # Not SlurmClusterResolver.cluster_spec: it sorts the nodes by name, n10 before n9, whereas the
    # ranks of the tasks follow Slurm's own order.
    try:
        hosts = slurm.expand_hostlist(os.environ["SLURM_STEP_NODELIST"])
        tasks = slurm.expand_tasks_per_node(os.environ["SLURM_STEP_TASKS_PER_NODE"])
        index = int(os.environ["SLURM_PROCID"])
        nodes = list(zip(hosts, tasks, strict=True))
    except Exception as error:  # a missing variable, or values that do not fit together
        raise ValueError(f"Slurm's variables cannot be read: {one_line(repr(error))}") from None
    workers = [f"{host}:{port + i}" for host, n in nodes for i in range(n)]
    place = check_place(workers, index, "Slurm")
    here = os.environ.get("SLURMD_NODENAME", ""), int(os.environ.get("SLURM_LOCALID", -1))
    if here[0] and here[1] >= 0 and workers[index] != f"{here[0]}:{port + here[1]}":
        raise ValueError(
            f"task {index} of Slurm runs as number {here[1]} of {here[0]}, where "
            f"{workers[index]} is expected: run srun with --distribution=block"
        )
    return place
