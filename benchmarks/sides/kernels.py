"""Where the time of `fit` goes: TensorFlow's profiler, read kernel by kernel."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.sides.ours import Fit

# what waits for kernels, or wraps them
_AROUND = ("ThunkExecutor", "Executor", "Session", "CpuExecutable", "BlockUntilReady", "while",
           "Threadpool", "SlinkyThreadPool", "ParallelFor", "end:")  # fmt: skip


class Kernels(Fit):
    """An epoch of `fit` under the profiler."""

    def profile(self) -> list[tuple[str, float]]:
        """Return each kernel and its microseconds a step, the longest first.

        One that several threads share counts as long as the thread that started it takes.
        """
        import tensorflow as tf
        from tensorflow.tsl.profiler.protobuf import xplane_pb2

        self.epoch()  # compiles
        options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=3)
        spent: Counter = Counter()
        with tempfile.TemporaryDirectory() as folder:
            tf.profiler.experimental.start(folder, options)
            try:
                self.epoch()
            finally:
                tf.profiler.experimental.stop()
            for file in Path(folder).rglob("*.xplane.pb"):
                for plane in xplane_pb2.XSpace.FromString(file.read_bytes()).planes:
                    for event in (event for line in plane.lines for event in line.events):
                        name = plane.event_metadata[event.metadata_id].name
                        spent[name] += event.duration_ps / 1e6 / self.problem.n_batches
        return [(name, us) for name, us in spent.most_common() if not name.startswith(_AROUND)]
