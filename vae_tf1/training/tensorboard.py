"""Event files for TensorBoard, written by TensorFlow's own writer."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf1.backend.notices import without_deprecation_notices
from vae_tf1.backend.xla import graph_lock
from vae_tf1.data.rows import as_rows
from vae_tf1.likelihoods import support_of
from vae_tf1.model import noise
from vae_tf1.model.noise import Stream
from vae_tf1.training.callbacks import Callback, Logs

__all__ = ["TensorBoard"]

_SHOWN = 8  # images in a row
_CODES = 3  # which op of `Stream.SAMPLES`; the model's own are 0 to 2

_summary = tf.compat.v1.Summary


class TensorBoard(Callback):
    """Write what TensorBoard shows: curves, the graph, images, and histograms on request.

    The runs ``train`` and ``validation`` share the tag ``elbo``, so that TensorBoard draws both
    into one chart; its horizontal axis counts steps. ``train`` also has ``learning_rate``, the
    graph, and, if an image is a square, pairs of originals and reconstructions, and the images of a
    few codes that are drawn from the prior once. A training that is resumed goes on in new files;
    TensorBoard drops what the earlier ones have beyond that step.

    Parameters
    ----------
    log_dir
        The folder, made if it is missing.
    histograms
        Whether to write a histogram of each weight and bias after each epoch.
    images
        Images to reconstruct, shape (N, D), of which the first eight are used. `fit` gives some
        of its own data if there are none.

    Raises
    ------
    TypeError, ValueError
        If `log_dir` is not a path.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike,
        *,
        histograms: bool = False,
        images: np.ndarray | None = None,
    ) -> None:
        if not isinstance(log_dir, str | os.PathLike) or not os.fspath(log_dir):
            raise TypeError(f"log_dir must be the path of a folder, not {log_dir!r}")
        self._folder, self._histograms, self.images = Path(log_dir), bool(histograms), images
        self._writers: dict[str, Any] = {}
        self._ops: _Ops | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the files, and write the graph."""
        self._close()
        if self._ops is None or self._ops.model is not self.model:
            self._ops = _Ops(self.model, self._histograms)
        step = len(self.model.state.costs)
        with self.model.graph.as_default():  # the writer refuses to work in eager mode
            for run in ("train", "validation"):
                graph = self.model.graph if run == "train" else None
                folder = str(self._folder / run)
                writer = self._writers[run] = tf.compat.v1.summary.FileWriter(folder, graph)
                # TensorBoard drops what earlier files have from this step on.
                start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
                writer.add_session_log(start, step + 1)
                writer.flush()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write curves, images and histograms."""
        step = len(self.model.state.costs)
        for name, value in (logs or {}).items():
            run = "validation" if name.startswith("val_") else "train"
            self._write(run, step, tag=name.removeprefix("val_"), simple_value=float(value))
        rate = self.model.learning_rate
        if rate is not None:
            self._write("train", step, tag="learning_rate", simple_value=rate)
        assert self._ops is not None
        for tag, image in self._ops.images(self.images).items():
            self._write("train", step, tag=tag, image=image)
        histograms = self._ops.histograms()
        if histograms is not None:
            self._writers["train"].add_summary(histograms, step)
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        self._close()

    def _write(self, run: str, step: int, **value: Any) -> None:
        self._writers[run].add_summary(_summary(value=[_summary.Value(**value)]), step)

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}


class _Ops:
    """What is added to a model's graph so that it can be drawn."""

    def __init__(self, model: Any, histograms: bool) -> None:
        self.model, self._side = model, math.isqrt(model.D)
        with (
            graph_lock(model.graph),
            model.graph.as_default(),
            tf.name_scope("tensorboard"),
            without_deprecation_notices(),
        ):
            self._pixels = tf.compat.v1.placeholder(tf.uint8, (None, None, 1), name="pixels")
            self._png = tf.io.encode_png(self._pixels)
            seed = noise.op_seed(model.seed, Stream.SAMPLES, _CODES)
            codes = model.prior_distribution.sample(_SHOWN, seed=seed)
            self._weights = None
            if histograms:
                self._weights = tf.raw_ops.MergeSummary(
                    inputs=[
                        tf.raw_ops.HistogramSummary(tag=name, values=variable)
                        for name, variable in _named(model)
                    ]
                )
        self._codes = model.sess.run(codes)

    def images(self, originals: np.ndarray | None) -> dict[str, Any]:
        """Return the images to write under their tags; none if an image is not a square."""
        model = self.model
        if self._side**2 != model.D:
            return {}
        shown = {"samples": [model.prior_predictive_with_input(self._codes)]}
        if originals is not None:
            rows = as_rows(originals, model.D, "images", support=support_of(model.likelihood))
            values = rows.values(slice(0, _SHOWN))
            shown["reconstructions"] = [values, model.reconstruct(values)]
        return {tag: self._encoded(rows) for tag, rows in shown.items()}

    def histograms(self) -> bytes | None:
        """Return the summary of the weights, if histograms are asked for."""
        return None if self._weights is None else self.model.sess.run(self._weights)

    def _encoded(self, rows: list[np.ndarray]) -> Any:
        """Return rows of images as one picture."""
        side = self._side
        lines = [np.concatenate(row.reshape(-1, side, side), axis=1) for row in rows]
        support = support_of(self.model.likelihood)
        largest = support.high if math.isfinite(support.high) else 1  # what is white
        pixels = np.rint(255 * np.clip(np.concatenate(lines) / largest, 0, 1)).astype(np.uint8)
        png = self.model.sess.run(self._png, {self._pixels: pixels[:, :, None]})
        height, width = pixels.shape
        return _summary.Image(height=height, width=width, colorspace=1, encoded_image_string=png)


def _named(model: Any) -> list[tuple[str, tf.Variable]]:
    return [
        (f"{part}/layer_{i}/{kind}", getattr(layer, kind))
        for part, layers in (("encoder", model.encoder_layers), ("decoder", model.decoder_layers))
        for i, layer in enumerate(layers, 1)
        for kind in "Wb"
    ]
