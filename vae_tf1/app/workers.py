"""The other workers, if this program is one of several that train together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vae_tf1.app.errors import JobError
from vae_tf1.app.options import Options
from vae_tf1.backend.notices import without_startup_notices

if TYPE_CHECKING:
    from vae_tf1.cluster.workers import Cluster

__all__ = ["find", "is_chief"]


def find(options: Options) -> Cluster | None:
    """Return the workers that ``--cluster`` or ``TF_CONFIG`` names, and say so; None for no others.

    Raises
    ------
    JobError
        If what describes them is wrong.
    """
    if options.cluster is None and not os.environ.get("TF_CONFIG"):
        return None
    with without_startup_notices():
        from vae_tf1.cluster import environment
        from vae_tf1.cluster.workers import Cluster

    try:
        kind = options.cluster
        if kind is None:
            if not environment.describes_several():
                return None
            kind = environment.TF_CONFIG
        cluster = Cluster.from_environment(kind, wait=options.wait)
    except ValueError as error:
        raise JobError(str(error)) from None
    source = {environment.TF_CONFIG: "TF_CONFIG", environment.SLURM: "Slurm"}[kind]
    role = "the chief, which writes" if cluster.is_chief else "which writes nothing"
    print(f"cluster: worker {cluster.index} of {cluster.size} by {source}, {role}", flush=True)
    return cluster


def is_chief(cluster: Cluster | None) -> bool:
    """Whether this process shows and saves what comes out."""
    return cluster is None or cluster.is_chief
