"""The command line: ``python -m vae_tf1.convert CHECKPOINT …``."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vae_tf1.backend.notices import without_startup_notices
from vae_tf1.errors import CheckpointError, ConversionError, DataError

if TYPE_CHECKING:
    import numpy as np

    from vae_tf1.convert.formats import Format, Source
    from vae_tf1.convert.network import Network
    from vae_tf1.convert.tensors import Checkpoint

_DESCRIPTION = """\
Convert a checkpoint of TensorFlow 1 to today's formats, or to a page to play
with. Every result is loaded by its own runtime and compared with this
project's numbers; nothing is left if they differ by more than 1e-5.
"""
_EPILOG = """\
examples:
  %(prog)s model.ckpt --list
  %(prog)s model.ckpt --to onnx keras --output converted
  %(prog)s model.ckpt --to page --output converted --data mnist/
  %(prog)s model.ckpt --to onnx --output converted --activation tanh \\
      --layers enc_h1/weights,z_mean/weights+z_log_var/weights,dec_h1/weights,out/weights
  %(prog)s model.ckpt --check --output converted
"""
_FORMATS = ("npz", "safetensors", "onnx", "keras", "pytorch", "saved_model", "page")


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; return the exit status."""
    options = _parser().parse_args(argv)
    options.check_options(options)
    try:
        return _main(options)
    except (CheckpointError, ConversionError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def _main(options: argparse.Namespace) -> int:
    with without_startup_notices():
        import tensorflow  # noqa: F401
    from vae_tf1.convert import export, tensors
    from vae_tf1.convert.listing import describe

    checkpoint = tensors.read(options.checkpoint)
    if options.list:
        print(describe(checkpoint, options.layers, _title(options.activation), options.stddev))
    if not (options.to or options.check):
        return 0
    formats = [export.the_format(name) for name in options.to or _written(options.output)]
    with contextlib.ExitStack() as stack:
        source = _source(options, checkpoint, formats, stack)
        for format in formats:
            if options.check:
                difference = export.check(source, format, options.output)
                print(f"{format.name:11} agrees, largest difference {difference:.1e}")
                continue
            done = export.convert(source, format, options.output)
            print(f"{format.name:11} largest difference {done.difference:.1e}")
            for file in done.files:
                print(f"            {file}")
            for note in done.notes:
                print(f"            {note}")
    return 0


def _source(
    options: argparse.Namespace,
    checkpoint: Checkpoint,
    formats: Sequence[Format],
    stack: contextlib.ExitStack,
) -> Source:
    """Return the checkpoint as a source: its tensors alone if no format needs the network."""
    from vae_tf1.autoencoder import VariationalAutoencoder
    from vae_tf1.convert import export
    from vae_tf1.convert.activations import Activation
    from vae_tf1.convert.formats import Source, TensorFormat
    from vae_tf1.convert.network import assign
    from vae_tf1.convert.recognise import network, recognise

    if all(isinstance(format, TensorFormat) for format in formats):

        def none() -> Network:
            raise ConversionError("only tensors are converted")

        return Source(checkpoint.values, none)
    if checkpoint.prefix.with_name(checkpoint.prefix.name + ".json").is_file():
        vae = stack.enter_context(VariationalAutoencoder.load(checkpoint.prefix))
        data = (*_images(options, vae.D), options.shape, checkpoint.values)
        return export.of_model(vae, *data)
    found = recognise(checkpoint, options.layers)
    activation = Activation(*options.activation)
    recognised = network(checkpoint, found, activation, options.stddev)
    data = (*_images(options, found.D), options.shape, checkpoint.values)
    if not recognised.is_ours:
        return export.of_network(recognised, *data)
    vae = stack.enter_context(VariationalAutoencoder(found.D, recognised.hidden_layer_sizes))
    assign(vae, recognised)
    return export.of_model(vae, *data)


def _images(options: argparse.Namespace, D: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return real images and their digits: those of --data, or of MNIST if the sizes agree."""
    import numpy as np

    from vae_tf1.data import mnist

    if options.data and options.data.endswith(".npy"):
        try:
            return np.load(options.data, allow_pickle=False), None
        except (OSError, ValueError) as error:
            raise DataError(options.data, str(error)) from None
    if options.data is None and D != 784:
        return None, None
    digits = mnist.load_mnist(options.data, "test", download=False, quiet=options.data is None)
    return digits.images > 127, digits.labels  # as run_mnist.py binarises them


def _title(activation: tuple) -> str:
    from vae_tf1.convert.activations import Activation

    return str(Activation(*activation))


def _written(folder: Path) -> list[str]:
    """Return the formats that a folder has files of."""
    from vae_tf1.convert.formats import FORMATS

    found = [
        name
        for name, format in FORMATS.items()
        if any((folder / file).exists() for file in format.files)
    ]
    if not found:
        raise ConversionError(f"there is nothing to check in {folder}")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vae_tf1.convert",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help="what was given to the Saver, one of its files, or the folder that they are in",
    )
    what = parser.add_argument_group("what to do")
    what.add_argument(
        "--list",
        action="store_true",
        help="print names, shapes, dtypes, sizes and optimizer slots, and what was recognised",
    )
    what.add_argument(
        "--to",
        nargs="+",
        choices=_FORMATS,
        metavar="FORMAT",
        help=f"convert to: {', '.join(_FORMATS)}",
    )
    what.add_argument(
        "--check",
        action="store_true",
        help="compare what is in the output folder already; with --to, those formats alone",
    )
    what.add_argument(
        "--output", type=Path, metavar="DIR", help="folder of the files, made if need be"
    )
    model = parser.add_argument_group("the model, if the checkpoint is not this project's own")
    model.add_argument(
        "--layers",
        type=lambda text: [name for name in text.split(",") if name],
        metavar="W,W,…",
        help="the matrices in order, encoder first; means+deviations for two heads, "
        "weights:biases to name the biases; default: found by shape and order",
    )
    model.add_argument(
        "--activation",
        type=_activation,
        default=("relu",),
        metavar="NAME",
        help="of the hidden layers; leaky_relu:0.1 has a slope; default: relu",
    )
    model.add_argument(
        "--stddev",
        choices=("softplus", "exp", "exp_half"),
        help="of the encoder's last values u: softplus(u) + 1e-6, exp(u) or exp(u / 2); "
        "default: what the names suggest, else softplus",
    )
    page = parser.add_argument_group("images")
    page.add_argument(
        "--data",
        metavar="PATH",
        help="real images for the comparison and the page: MNIST's folder or file, 'builtin', or "
        "an .npy file of rows; default: MNIST if it is found, else the built-in digits",
    )
    page.add_argument(
        "--shape",
        type=_shape,
        metavar="H×W",
        help="height and width of an image on the page, as in 28x28; default: the squarest",
    )
    parser.set_defaults(check_options=_check_options(parser))
    return parser


def _check_options(parser: argparse.ArgumentParser) -> Callable[[argparse.Namespace], None]:
    def check(options: argparse.Namespace) -> None:
        if not (options.list or options.to or options.check):
            parser.error("say what to do: --list, --to FORMAT or --check")
        if (options.to or options.check) and options.output is None:
            parser.error("--to and --check need --output DIR")

    return check


def _activation(text: str) -> tuple:
    from vae_tf1.convert.activations import NAMES

    name, _, slope = text.partition(":")
    try:
        if name not in NAMES or (slope and name != "leaky_relu"):
            raise ValueError
        return (name, float(slope)) if slope else (name,)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected one of {', '.join(NAMES)}, not {text!r}"
        ) from None


def _shape(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)[x×](\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"expected height x width as in 28x28, not {text!r}")
    return int(match[1]), int(match[2])


if __name__ == "__main__":
    sys.exit(main())
