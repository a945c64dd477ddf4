# ruff: noqa: D102 - the methods of a side are described in benchmarks/sides/__init__.py
"""`fit` on several workers, each in a process of its own; see benchmarks/cluster.py."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from benchmarks.problem import D, Problem
from vae_tf1 import Cluster, VariationalAutoencoder

_SUMS = 20  # timed together


class Member:
    """One of the workers; made before its peers are there, so it joins them in `join`."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self._X = problem, problem.images()

    def join(self, workers: Sequence[str], index: int, compile: bool) -> None:
        """Build the model, together with the other workers if there are any."""
        self._compile = compile
        self._cluster = Cluster(workers, index) if len(workers) > 1 else None
        self._vae = VariationalAutoencoder(
            D, self._problem.sizes, seed=self._problem.seed, cluster=self._cluster
        )

    def epoch(self) -> float:
        return float(
            np.mean(
                self._vae.fit(
                    self._X,
                    epochs=1,
                    batch_sz=self._problem.batch_sz,
                    progress=False,
                    plot=False,
                    compile=self._compile,
                )
            )
        )

    def sums(self, numbers: int) -> float:
        """Return the seconds of one sum of so many float32 numbers."""
        wire = self._cluster.wire
        key = wire.key()
        with tf.Graph().as_default() as graph:

            def repeated(n: tf.Tensor) -> tf.Tensor:
                return tf.while_loop(
                    lambda i, _: i < n,
                    lambda i, total: (i + 1, wire.sum(total * 0.5, key)),
                    (0, tf.ones(numbers)),
                    parallel_iterations=1,
                )[1][:1]

            n = tf.compat.v1.placeholder(tf.int32, ())
            total = tf.function(repeated, autograph=False)(n)
            with wire.session(graph) as sess:
                sess.run(total, {n: 2}, options=wire.of_training(60))
                began = time.perf_counter()
                sess.run(total, {n: _SUMS}, options=wire.of_training(60))
                return (time.perf_counter() - began) / _SUMS
