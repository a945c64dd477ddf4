"""Files appear whole or not at all, whatever happens to the process, the disk or the folder."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from vae_tf1.data import files
from vae_tf1.data.files import write_whole


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize("name", ["data.npz", "lr=[0.1,0.2]*.npz", "x" * 250])
def test_killed_while_writing(tmp_path, name):
    script = (
        "import os, signal, sys; from vae_tf1.data.files import write_whole\n"
        "def write(file):\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_whole(sys.argv[1], write)"
    )
    target = tmp_path / name
    target.write_bytes(b"before")
    environment = dict(os.environ, PYTHONPATH=str(Path(files.__file__).parents[2]))
    process = subprocess.run([sys.executable, "-c", script, str(target)], env=environment)
    assert process.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"before"
    (left,) = set(tmp_path.iterdir()) - {target}
    assert left.read_bytes() == b"half"

    write_whole(target, lambda file: file.write(b"after"))
    assert target.read_bytes() == b"after"
    assert left.exists()  # it could still have a writer
    os.utime(left, (0, 0))
    write_whole(target, lambda file: file.write(b"later"))
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_keeps_the_earlier_file(tmp_path, error):
    target = tmp_path / "data"
    target.write_bytes(b"before")

    def write(file):
        file.write(b"half")
        raise error

    with pytest.raises(type(error)):
        write_whole(target, write)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_the_bytes_and_then_the_name_reach_the_disk(tmp_path, monkeypatch):
    synced = []
    fsync = os.fsync

    def record(descriptor):
        status = os.fstat(descriptor)
        is_folder = stat.S_ISDIR(status.st_mode)
        there = sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".part")
        synced.append(("folder", there) if is_folder else (status.st_size, there))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    write_whole(tmp_path / "data", lambda file: file.write(b"whole"))
    assert synced == [(5, []), ("folder", ["data"])]


def test_links_are_replaced_and_never_followed(tmp_path, monkeypatch):
    victim = tmp_path / "elsewhere" / "victim"
    victim.parent.mkdir()
    victim.write_bytes(b"precious")
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "data").symlink_to(victim)
    # Even the hidden name, if somebody could guess it.
    monkeypatch.setattr(files.secrets, "token_hex", lambda _: "guessed")
    (folder / ".data.guessed.part").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_whole(folder / "data", lambda file: file.write(b"new"))
    assert victim.read_bytes() == b"precious"

    monkeypatch.undo()
    write_whole(folder / "data", lambda file: file.write(b"new"))
    assert victim.read_bytes() == b"precious"
    assert not (folder / "data").is_symlink()
    assert (folder / "data").read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="no modes of files here")
def test_a_new_file_has_the_mode_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "new" / "data", lambda file: file.write(b""))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o640
