"""Where the main job's pictures go: files in a folder, and windows where there is a display."""

import os

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from support import window_backend

from vae_tf1.app.errors import JobError
from vae_tf1.app.pictures import Picture
from vae_tf1.app.screen import Album, Windows, has_display


def grey(value):
    """Return a picture, 300 × 200 pixels, all of one grey."""

    def draw(*, figure=None):
        figure = figure or Figure(figsize=(3, 2))
        figure.set_facecolor(str(value))
        return figure

    return Picture("sample", draw)


def test_a_picture_is_saved_under_its_name(tmp_path):
    album = Album(tmp_path / "deep" / "folder")
    file = album.save(grey(0.2))
    assert file == tmp_path / "deep" / "folder" / "sample.png"
    pixels = imread(file)[..., :3]
    assert pixels.shape == (200, 300, 3)
    np.testing.assert_allclose(pixels, 0.2, atol=1 / 255)
    assert os.listdir(album.folder) == ["sample.png"]  # and nothing is left of the trial


def test_a_series_is_numbered_and_an_earlier_run_replaced(tmp_path):
    for value in (0.2, 0.8):
        album = Album(tmp_path)
        files = [album.save_next(grey(value)) for _ in range(3)]
    assert [file.name for file in files] == ["sample_1.png", "sample_2.png", "sample_3.png"]
    assert album.files == files
    np.testing.assert_allclose(imread(files[0])[..., :3], 0.8, atol=1 / 255)


def test_a_folder_that_was_tidied_away_is_made_again(tmp_path):
    album = Album(tmp_path / "output")
    (tmp_path / "output").rmdir()
    assert album.save(grey(0.5)).exists()


def test_an_unusable_folder_is_refused_at_once(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(JobError, match="file: it is a file, not a folder"):
        Album(file)
    with pytest.raises(JobError, match=r"cannot save pictures in .*inside: Not a directory"):
        Album(file / "inside")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do anything")
def test_a_read_only_folder_is_refused_at_once(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(JobError, match="Permission denied"):
        Album(tmp_path)


def test_a_picture_that_cannot_be_saved_is_one_sentence(tmp_path):
    album = Album(tmp_path)
    (tmp_path / "sample.png").mkdir()
    with pytest.raises(JobError, match=f"cannot save pictures in {tmp_path}: Is a directory"):
        album.save(grey(0.5))


@pytest.fixture
def display():
    """Let matplotlib believe that there is a display; the result is what happens on it."""
    before = plt.get_backend()
    plt.switch_backend("module://support.window_backend")
    window_backend.events.clear()
    yield window_backend.events
    plt.close("all")
    plt.switch_backend(before)


def test_without_a_display_there_are_no_windows():
    assert not has_display()
    assert plt.get_fignums() == []


def test_a_display_is_recognised_and_no_window_stays_from_that(display):
    assert has_display()
    assert plt.get_fignums() == []
    assert not any(event.startswith("show") for event in display)


def test_a_display_that_does_not_answer_is_none(display, monkeypatch):
    def no_answer(*_):
        raise RuntimeError("couldn't connect to display")

    monkeypatch.setattr(window_backend.FigureCanvasWindow, "__init__", no_answer)
    assert not has_display()
    assert plt.get_backend().lower() == "agg"


def test_each_name_has_one_window_of_the_pictures_size(display):
    windows = Windows()
    for value in (0.2, 0.8):
        windows.show(grey(value))
        windows.show(Picture("other", grey(value).draw))
    assert plt.get_figlabels() == ["sample", "other"]
    assert [event for event in display if event != "alive"] == ["show sample", "show other"] * 2
    assert tuple(plt.figure("sample").get_size_inches()) == (3, 2)
    np.testing.assert_allclose(plt.figure("sample").get_facecolor()[:3], 0.8)


def test_a_window_that_the_user_has_closed_opens_again(display):
    windows = Windows()
    windows.show(grey(0.2))
    plt.close("sample")
    windows.keep_alive()
    assert plt.get_fignums() == []
    windows.show(grey(0.2))
    assert plt.get_figlabels() == ["sample"]


def test_waiting_keeps_every_window_alive_even_while_one_is_closed(display, monkeypatch):
    windows = Windows()
    for name in ("first", "second", "third"):
        windows.show(Picture(name, grey(0.5).draw))
    closing = window_backend.FigureCanvasWindow.flush_events

    def close_the_second(canvas):
        closing(canvas)
        plt.close("second")

    monkeypatch.setattr(window_backend.FigureCanvasWindow, "flush_events", close_the_second)
    display.clear()
    windows.keep_alive()
    assert display == ["alive", "close second", "alive"]
    assert plt.get_figlabels() == ["first", "third"]
    windows.close()
    assert plt.get_fignums() == []
