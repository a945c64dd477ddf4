"""The command line: ``python -m vae_tf1.legacy script.py [its own arguments…]``."""

from __future__ import annotations

import argparse
import sys

_DESCRIPTION = "Run an old TensorFlow 1 script on today's TensorFlow, unedited."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m vae_tf1.legacy", description=_DESCRIPTION, allow_abbrev=False
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "-m",
        dest="module",
        nargs=argparse.REMAINDER,
        metavar="MODULE",
        help="run a module, as python -m does; its own arguments follow",
    )
    what.add_argument(
        "--report",
        action="store_true",
        help="list the TensorFlow 1 names that the script uses and who provides them, of a folder "
        "a table of its files; nothing of the script is run",
    )
    parser.add_argument(
        "--package",
        action="append",
        default=[],
        metavar="NAME",
        help="an installed package that was written for TensorFlow 1 as well; may be repeated",
    )
    parser.add_argument(
        "--python2",
        action="store_true",
        help="take modules that parse as Python 2 and 3 for Python 2, where 7 / 2 is 3",
    )
    parser.add_argument("--version", action="version", version=_version())
    parser.add_argument("script", nargs="?", help="the script to run; a notebook as well")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    return parser


def _version() -> str:
    from vae_tf1 import __version__

    return f"vae_tf1 {__version__}"


def main(argv: list[str]) -> None:
    """Do what the command line asks for; the script's exit status becomes the process's.

    Parameters
    ----------
    argv : list of str
        The arguments after ``python -m vae_tf1.legacy``.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    if options.module:
        from vae_tf1.legacy.machinery.runner import run_module

        name, *arguments = options.module
        run_module(name, arguments, packages=options.package, python2=options.python2)
    elif options.script is None or options.module is not None:
        parser.error("expected the path of a script, or -m and the name of a module")
    elif options.report:
        from vae_tf1.legacy.report import report

        sys.exit(report(options.script))
    else:
        from vae_tf1.legacy.machinery.runner import run_script

        run_script(
            options.script, options.arguments, packages=options.package, python2=options.python2
        )


if __name__ == "__main__":
    main(sys.argv[1:])
