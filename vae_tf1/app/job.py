"""The steps of the job: build, fit, show, report."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from vae_tf1.app.data import Digits
from vae_tf1.app.errors import INTERRUPTED, JobError, quit_on_ctrl_c
from vae_tf1.app.options import Options
from vae_tf1.app.pictures import Picture, pictures_of, posterior_samples, prior_samples
from vae_tf1.app.prompts import another, can_ask
from vae_tf1.app.screen import Album, Windows, has_display
from vae_tf1.backend.notices import without_startup_notices
from vae_tf1.errors import CheckpointError, ClusterError, ConversionError, reason
from vae_tf1.training.progress import waiting

if TYPE_CHECKING:
    import tensorflow as tf

    from vae_tf1.autoencoder import VariationalAutoencoder
    from vae_tf1.cluster.workers import Cluster

__all__ = ["Training", "announce", "build", "fit", "report", "show"]

_say = partial(print, flush=True)


class Training(NamedTuple):
    """How the training went.

    Attributes
    ----------
    seconds
        How long it took, compilation included; where it was resumed, from there on.
    interrupted
        Whether Ctrl-C has stopped it.
    resumable
        Whether it is saved, and so may have been resumed.
    """

    seconds: float
    interrupted: bool
    resumable: bool

    @property
    def status(self) -> int:
        """The exit status of the program after this training."""
        return INTERRUPTED if self.interrupted else 0


def announce(options: Options) -> None:
    """Say what comes, before the first thing that takes time: loading NumPy and TensorFlow."""
    epochs = _plural(options.epochs, "epoch")
    _say(
        f"first the data and TensorFlow are loaded, then follow {epochs} in batches of "
        f"{options.batch_size:,}, then the results"
    )


def build(
    options: Options, digits: Digits, cluster: Cluster | None = None
) -> VariationalAutoencoder:
    """Build the model, for images of the digits' size, once all workers of a cluster are there.

    Raises
    ------
    JobError
        When TensorFlow cannot, for want of memory, say, or the workers do not fit together.
    PeerLost
        When a worker of the cluster does not come.
    """
    with waiting("loading TensorFlow"), without_startup_notices():
        import tensorflow as tf

        from vae_tf1.autoencoder import VariationalAutoencoder

    D = digits.train.shape[1]
    widths = [D, *options.layers, *reversed(options.layers[:-1]), D]
    _say(f"model: {'-'.join(map(str, widths))}, a code of {options.layers[-1]}")
    try:
        return VariationalAutoencoder(D, options.layers, seed=options.seed, cluster=cluster)
    except (ClusterError, MemoryError, OSError) as error:
        raise JobError(str(error)) from None
    except tf.errors.OpError as error:
        raise _refusal("build this model", error) from None


def fit(vae: VariationalAutoencoder, digits: Digits, options: Options) -> Training:
    """Train the model; Ctrl-C stops that, and keeps what was learned.

    Raises
    ------
    JobError
        When a checkpoint cannot be used, the ELBO is no longer finite, or TensorFlow gives up.
    KeyboardInterrupt
        On Ctrl-C before the first step.
    PeerLost
        When another worker of the cluster is lost.
    """
    import tensorflow as tf

    began = time.perf_counter()
    interrupted = False
    try:
        vae.fit(
            digits.train,
            epochs=options.epochs,
            batch_sz=options.batch_size,
            plot=False,
            checkpoint_dir=options.checkpoint_dir,
        )
    except KeyboardInterrupt:
        if not vae.costs:
            raise
        interrupted = True
        quit_on_ctrl_c()
        _say(
            f"\ninterrupted in epoch {vae.epochs_done + 1}, after {len(vae.costs):,} steps: "
            "what was learned is kept (Ctrl-C again to quit)"
        )
    except (CheckpointError, ClusterError, FloatingPointError) as error:
        raise JobError(str(error)) from None
    except tf.errors.OpError as error:
        raise _refusal("train this model", error) from None
    return Training(
        time.perf_counter() - began, interrupted, resumable=options.checkpoint_dir is not None
    )


def show(
    vae: VariationalAutoencoder, digits: Digits, album: Album, *, ask: bool, page: bool = False
) -> None:
    """Save the pictures, and show samples for as long as the user wants to see another.

    Parameters
    ----------
    vae, digits
        The model and its data.
    album
        Where the pictures are saved.
    ask
        Whether the user may be asked. There are windows only then, and where there is a display.
    page
        Whether to save a page to play with the model as well.

    Raises
    ------
    JobError
        If a picture or the page cannot be saved.
    """
    ask = ask and can_ask()
    windows = Windows() if ask and has_display() else None
    for picture in pictures_of(vae, digits):
        album.save(picture)
        if windows and picture.in_window:
            windows.show(picture)
    if page:
        _save_page(vae, digits, album)
    try:
        for samples in (posterior_samples(vae, digits), prior_samples(vae)):
            _show_samples(samples, album, windows, ask)
    except KeyboardInterrupt:
        if not ask:
            raise
        _say()  # Ctrl-C at a question: the answer is no, to this one and the next
    finally:
        if windows:
            windows.close()


def _save_page(vae: VariationalAutoencoder, digits: Digits, album: Album) -> None:
    try:
        album.files += vae.export(album.folder, "page", digits.test, digits.test_labels).files
    except ConversionError as error:
        raise JobError(str(error)) from None


def _show_samples(
    samples: Iterator[Picture], album: Album, windows: Windows | None, ask: bool
) -> None:
    for picture in samples:
        if windows:
            windows.show(picture)
        else:
            _say(f"saved {album.save_next(picture)}")
        if not (ask and another(windows.keep_alive if windows else None)):
            break


def report(
    vae: VariationalAutoencoder,
    digits: Digits,
    training: Training,
    album: Album,
    n_samples: int | None = None,
) -> None:
    """Print what came out: the ELBO of the test images, the training time, the pictures.

    With `n_samples`, also an estimate of log p(x) of the test images with so many codes of each.
    """
    elbo, reconstruction, kl = vae.evaluate(digits.test)
    this_run = " in this run" if training.resumable else ""
    _say(
        f"\ntest ELBO      {elbo:.2f} nats per image, on {len(digits.test):,} images "
        f"({digits.name})\n"
        f"               = reconstruction {reconstruction:.2f} - KL {kl:.2f}\n"
        f"training       {training.seconds:.1f} s{this_run}, {_plural(vae.epochs_done, 'epoch')}, "
        f"{_plural(len(vae.costs), 'step')}, seed {vae.seed}\n"
        f"pictures       {album.folder.resolve()}"
    )
    for file in album.files:
        _say(f"               {file.name}")
    if n_samples is not None:
        import numpy as np

        values, errors, sizes = vae.log_likelihood(digits.test, n_samples, return_details=True)
        _say(
            f"test log p(x)  {values.mean():.2f} nats per image, by importance sampling with "
            f"{_plural(n_samples, 'code')} an image\n"
            f"               in the median, an effective sample size of {np.median(sizes):,.1f} "
            f"and a standard error of {np.median(errors):.2f} nats"
        )


def _refusal(doing: str, error: tf.errors.OpError) -> JobError:
    """Say in one line what TensorFlow says in many."""
    return JobError(f"TensorFlow cannot {doing}: {reason(error)}")


def _plural(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"
