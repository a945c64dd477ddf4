"""What can be said on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vae_tf1.app.errors import PROGRAM

__all__ = ["Options", "parse_options"]

_DESCRIPTION = """\
Train a variational autoencoder on MNIST, and show what it has learned.

Without options: the original's model (784-200-100), 30 epochs of minibatches
of 64 binarised images; then originals beside samples of their reconstructions,
and samples of the prior beside their probabilities. With a display they open
in windows, without one they are saved as PNG files. At the end come the ELBO
of the test images, the training time, and where the pictures are.
"""

_EPILOG = """\
examples:
  %(prog)s
      find MNIST, or download it, and train on it
  %(prog)s --data builtin --limit 12800 --epochs 5
      a quick try on digits that the program draws itself
  %(prog)s --latent 2 --output plane
      with the plane of the two latent coordinates
  %(prog)s --latent 2 --page
      and with a page to play with the model in a browser
  %(prog)s --data mnist/ --seed 0 --no-prompts
      reproducible, and without a question

Ctrl-C during the training stops it: what was learned is kept and evaluated,
and the pictures are written; a second Ctrl-C quits. Without a terminal on
standard input nothing is asked, and no window opens.

exit status: 0 when all is done; 1 when it could not be (the data or the output
folder cannot be used, say); 2 when an option is wrong; 75 when another worker
is lost, and all should be started again; 130 when Ctrl-C has stopped the
training.
"""

_MOST = 1_000_000  # of anything that is counted: beyond it is a slip of the keyboard
_WIDEST = 10_000
_WAIT = 300  # seconds
_SAMPLES = 5000  # of log_likelihood, as in most published tables


@dataclass(frozen=True)
class Options:
    """The command line.

    Attributes
    ----------
    data
        Where MNIST is, "builtin" for the built-in digits, None for a search.
    limit
        How many of the training images are used; None for all.
    epochs, batch_size
        Length of the training, and images a step.
    layers
        Widths of the encoder's layers; the last is the size of the code.
    seed
        From which everything random follows; None for a new one.
    output
        Folder of the pictures.
    prompts
        Whether questions may be asked, and windows opened.
    checkpoint_dir
        Folder from which the training is resumed and to which it is saved; None for neither.
    log_likelihood
        Samples an image with which log p(x) of the test images is estimated; None for no estimate.
    page
        Whether a page to play with the model is written too.
    cluster
        What describes the other workers, besides ``TF_CONFIG``: "slurm", or None.
    wait
        Seconds to wait for them at the start.
    """

    data: str | None
    limit: int | None
    epochs: int
    batch_size: int
    layers: tuple[int, ...]
    seed: int | None
    output: Path
    prompts: bool
    checkpoint_dir: Path | None
    log_likelihood: int | None
    page: bool = False
    cluster: str | None = None
    wait: float = _WAIT


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line.

    Parameters
    ----------
    arguments
        What follows the program's name; by default that of this process.

    Raises
    ------
    SystemExit
        With status 0 after ``--help``, with 2 and one sentence on stderr when an option is wrong.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.limit is not None and given.limit < given.batch_size:
        parser.error(f"--batch-size {given.batch_size} is more than --limit {given.limit}")
    layers = given.layers if given.latent is None else [*given.layers[:-1], given.latent]
    return Options(
        data=given.data,
        limit=given.limit,
        epochs=given.epochs,
        batch_size=given.batch_size,
        layers=tuple(layers),
        seed=given.seed,
        output=given.output,
        prompts=given.prompts,
        checkpoint_dir=given.checkpoint_dir,
        log_likelihood=given.log_likelihood,
        page=given.page,
        cluster=given.cluster,
        wait=given.wait,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = parser.add_argument_group("data")
    data.add_argument(
        "--data",
        metavar="PATH",
        type=_text,
        help="folder or file with MNIST (IDX files, mnist.npz or Kaggle's train.csv), or 'builtin' "
        "for digits drawn by the program; default: $VAE_TF1_DATA, then the usual places, then a "
        "download, then the built-in digits",
    )
    data.add_argument(
        "--limit",
        metavar="N",
        type=_count(_MOST),
        help="train on the first N images only; default: all",
    )

    model = parser.add_argument_group("model")
    model.add_argument(
        "--layers",
        metavar="WIDTH",
        nargs="+",
        type=_count(_WIDEST),
        default=[200, 100],
        help="widths of the encoder's layers, the last of which is the size of the code; the "
        "decoder has the reverse; default: 200 100",
    )
    model.add_argument(
        "--latent",
        metavar="M",
        type=_count(_WIDEST),
        help="size of the code, in place of the last of the layers; with 2 the latent plane is "
        "drawn as well",
    )
    model.add_argument(
        "--seed",
        metavar="N",
        type=_count(most=None, least=0),
        help="makes the run reproducible; default: a new one, which is printed at the end",
    )

    training = parser.add_argument_group("training")
    training.add_argument(
        "--epochs",
        metavar="N",
        type=_count(_MOST),
        default=30,
        help="how often each image is seen; default: 30",
    )
    training.add_argument(
        "--batch-size",
        metavar="N",
        type=_count(_MOST),
        default=64,
        help="images a step; default: 64",
    )
    training.add_argument(
        "--checkpoint-dir",
        metavar="DIR",
        type=_path,
        help="save the training there as it goes, and take it up where an earlier run with this "
        "folder was stopped",
    )

    several = parser.add_argument_group(
        "several machines",
        "Start the same command on each of them. If TF_CONFIG names more than one worker, they "
        "train together; worker 0 alone writes checkpoints and pictures.",
    )
    several.add_argument(
        "--cluster",
        choices=["slurm"],
        help="train together with the other tasks of this srun",
    )
    several.add_argument(
        "--wait",
        metavar="SECONDS",
        type=_count(_MOST),
        default=_WAIT,
        help=f"how long to wait for the other workers at the start; default: {_WAIT}",
    )

    results = parser.add_argument_group("results")
    results.add_argument(
        "--log-likelihood",
        metavar="K",
        nargs="?",
        type=_count(_MOST),
        const=_SAMPLES,
        help="estimate log p(x) of the test images too, by importance sampling with K codes an "
        f"image; without K, {_SAMPLES:,}, which takes minutes",
    )

    pictures = parser.add_argument_group("pictures")
    pictures.add_argument(
        "--output",
        metavar="DIR",
        type=_path,
        default=Path("output"),
        help="folder of the PNG files, made if need be; those of an earlier run are replaced; "
        "default: output",
    )
    pictures.add_argument(
        "--no-prompts",
        dest="prompts",
        action="store_false",
        help="ask nothing and open no window: show one sample of each kind, as a PNG file",
    )
    pictures.add_argument(
        "--page",
        action="store_true",
        help="write page.html as well: one file to open in a browser, or to send, in which one "
        "moves over the latent plane, draws digits and samples the prior",
    )
    return parser


def _count(most: int | None, least: int = 1) -> Callable[[str], int]:
    """Return the reader of a whole number from `least` to `most`."""
    wanted = f"a whole number from {least}" + (f" to {most:,}" if most else "")

    def count(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or value < least or (most and value > most):
            raise argparse.ArgumentTypeError(f"{wanted} is wanted, not {text!r}")
        return value

    return count


def _text(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError(f"a path is wanted, not {text!r}")
    return text


def _path(text: str) -> Path:
    return Path(_text(text)).expanduser()
