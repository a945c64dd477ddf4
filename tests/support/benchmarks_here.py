"""A side of the benchmarks in this process: one of its own for each side takes minutes."""

import time

import tensorflow as tf

from benchmarks.worker import Timed


class Here:
    """A `Worker` without a process, but with a graph of its own."""

    def __init__(self, entry, problem):
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.side = entry.load()(problem)

    def call(self, method, *args):
        began = time.perf_counter()
        with self.graph.as_default():
            value = getattr(self.side, method)(*args)
        return Timed(value, time.perf_counter() - began, 0.0)

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass
