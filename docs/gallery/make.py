"""Run every example and keep its figures here, with few colours so that they stay small."""

import runpy
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
COLOURS, SIZE = 32, (1200, 580)  # pixels


def main() -> None:
    """Make the gallery anew; options are handed to no example, so that all use their defaults."""
    with tempfile.TemporaryDirectory() as folder:
        for example in sorted((HERE.parents[1] / "examples").glob("*.py")):
            print(f"python examples/{example.name}")
            sys.argv = [str(example), "--output", folder]
            runpy.run_path(str(example), run_name="__main__")
        for path in Path(folder).glob("*.png"):
            with Image.open(path) as file:
                image = file.convert("RGB")
                image.thumbnail(SIZE)
                image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).save(
                    HERE / path.name, optimize=True
                )


if __name__ == "__main__":
    main()
