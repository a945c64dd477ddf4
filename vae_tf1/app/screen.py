"""Where pictures go: into a folder, and into windows where there is a display."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from vae_tf1.app.errors import JobError
from vae_tf1.app.pictures import Picture
from vae_tf1.data.files import write_whole

__all__ = ["Album", "Windows", "has_display"]


class Album:
    """A folder of PNG files.

    Parameters
    ----------
    folder
        Made if need be.

    Attributes
    ----------
    folder : pathlib.Path
    files : list of pathlib.Path
        What has been saved, in order.

    Raises
    ------
    JobError
        When pictures cannot be saved there; better now than after the training.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Path] = []
        self._series: Counter[str] = Counter()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise self._unusable(error) from None

    def save(self, picture: Picture) -> Path:
        """Save a picture under its name.

        Raises
        ------
        JobError
            When it cannot be saved.
        """
        return self._save(picture, picture.name)

    def save_next(self, picture: Picture) -> Path:
        """Save one of a series, under its name and a number: sample_1.png, then sample_2.png."""
        self._series[picture.name] += 1
        return self._save(picture, f"{picture.name}_{self._series[picture.name]}")

    def _save(self, picture: Picture, stem: str) -> Path:
        file = self.folder / f"{stem}.png"
        try:
            figure = picture.draw()
            write_whole(file, lambda stream: figure.savefig(stream, format="png", dpi=100))
        except OSError as error:
            raise self._unusable(error) from None
        self.files.append(file)
        return file

    def _unusable(self, error: OSError) -> JobError:
        reason = error.strerror or error
        if isinstance(error, FileExistsError):
            reason = "it is a file, not a folder"
        return JobError(f"cannot save pictures in {self.folder}: {reason}")


class Windows:
    """Windows of matplotlib's, one for each name."""

    def show(self, picture: Picture) -> None:
        """Show a picture, in place of the one of that name, and return at once."""
        import matplotlib.pyplot as plt

        title = picture.name.replace("_", " ")
        if plt.fignum_exists(title):
            figure = plt.figure(title, clear=True)
        else:
            figure = plt.figure(title, figsize=picture.draw().get_size_inches())
        picture.draw(figure=figure)
        figure.canvas.draw_idle()
        figure.show()
        self.keep_alive()

    def keep_alive(self) -> None:
        """Let the windows redraw, and react to the mouse."""
        import matplotlib.pyplot as plt

        for number in plt.get_fignums():
            if plt.fignum_exists(number):  # the user may just have closed it
                plt.figure(number).canvas.flush_events()

    def close(self) -> None:
        """Close all windows."""
        import matplotlib.pyplot as plt

        plt.close("all")


def has_display() -> bool:
    """Tell whether matplotlib can open a window here; where it can choose, it has then chosen."""
    import matplotlib.pyplot as plt

    try:
        figure = plt.figure()
    except Exception:  # a display that does not answer, a toolkit that is not installed, …
        plt.switch_backend("agg")
        return False
    opens_windows = type(figure.canvas).required_interactive_framework is not None
    plt.close(figure)
    return opens_windows
