"""The download against a server that misbehaves in every way: whole files or none.

The server is local; its first path component says how it behaves.
"""

import contextlib
import gzip
import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.kinds import full_except
from support.mnist_files import IDX_NAMES, digits, idx_images, idx_labels, nowhere  # noqa: F401

from vae_tf1.data import mnist
from vae_tf1.data.mnist import DataError, get_mnist, load_mnist
from vae_tf1.data.mnist.builtin import StandIn
from vae_tf1.data.mnist.download import Mirrors
from vae_tf1.data.mnist.loader import Loader

CONTENT = {
    f"{name}.gz": gzip.compress(data, 1)
    for split, names in IDX_NAMES.items()
    for name, data in zip(
        names, (idx_images(digits(40, split)[0]), idx_labels(digits(40, split)[1])), strict=True
    )
}
FILES = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in CONTENT.items()}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.requests.append(self.path)
        _, behaviour, name = self.path.split("/")
        self.close_connection = True
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            getattr(self, behaviour)(CONTENT[name], name)

    def answer(self, data, length="right", status=200):
        self.send_response(status)
        if length == "right":
            length = len(data)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(data)

    def redirect(self, location):
        self.send_response(302)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def good(self, data, name):
        self.answer(data)

    def good_without_length(self, data, name):
        self.answer(data, length=None)

    def not_found(self, data, name):
        self.answer(b"nothing here", status=404)

    def server_error(self, data, name):
        self.answer(data, status=500)

    def stall(self, data, name):
        self.answer(data[:-1], length=len(data))
        self.server.stop.wait(5)

    def stall_at_once(self, data, name):
        self.server.stop.wait(5)

    def drip(self, data, name):
        self.answer(b"", length=len(data))
        for byte in data:
            self.wfile.write(bytes([byte]))
            if self.server.stop.wait(0.05):
                break

    def drip_headers(self, data, name):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nServer: ")
        while not self.server.stop.wait(0.05):
            self.wfile.write(b"x")

    def drip_without_length(self, data, name):
        self.answer(b"", length=None)
        for byte in data:
            self.wfile.write(bytes([byte]))
            if self.server.stop.wait(0.05):
                break

    def half(self, data, name):
        self.answer(data[: len(data) // 2], length=len(data))

    def half_without_length(self, data, name):
        self.answer(data[: len(data) // 2], length=None)

    def wrong_bytes(self, data, name):
        self.answer(data[:-1] + bytes([data[-1] ^ 1]))

    def web_page(self, data, name):
        self.answer(b"<html>Please log in</html>")

    def claims_more(self, data, name):
        self.answer(data, length=10**12)

    def claims_less(self, data, name):
        self.answer(data, length=len(data) - 1)

    def claims_nonsense(self, data, name):
        self.answer(data, length="many")

    def endless(self, data, name):
        self.answer(data, length=None)
        while not self.server.stop.is_set():
            self.wfile.write(bytes(1 << 16))
            self.server.sent += 1 << 16

    def broken_chunks(self, data, name):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"zz\r\nnot a chunk")

    def no_http(self, data, name):
        self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")

    def redirect_to_good(self, data, name):
        self.redirect(f"/good/{name}")

    def redirect_to_itself(self, data, name):
        self.redirect(self.path)

    def redirect_to_file(self, data, name):
        self.redirect((self.server.folder / name).as_uri())

    def redirect_to_ftp(self, data, name):
        self.redirect(f"ftp://127.0.0.1/{name}")

    def redirect_to_data(self, data, name):
        self.redirect("data:application/gzip;base64,H4sI")

    def redirect_to_https(self, data, name):
        self.redirect(f"https://127.0.0.1:{self.server.server_port}/good/{name}")

    def redirect_to_nonsense(self, data, name):
        self.redirect("http://[::1/x")


# behaviour: what the complaint about it says
REFUSED = {
    "not_found": "HTTP status 404",
    "server_error": "HTTP status 500",
    "stall": "timed out",
    "stall_at_once": "timed out",
    "drip_headers": "gave no answer",
    "drip": "took longer than",
    "drip_without_length": "took longer than",
    "half": "ended after",
    "half_without_length": "ended after",
    "wrong_bytes": "wrong checksum",
    "web_page": "offers 26 bytes",
    "claims_more": "offers 1000000000000 bytes",
    "claims_less": "offers",
    "claims_nonsense": "offers many bytes",
    "endless": "sends more than",
    "broken_chunks": "",
    "no_http": "SSH-2.0-OpenSSH",
    "redirect_to_itself": "HTTP status 302",
    "redirect_to_file": "HTTP status 302",
    "redirect_to_ftp": "redirects from http to ftp",
    "redirect_to_data": "HTTP status 302",
    "redirect_to_https": "redirects from http to https",
    "redirect_to_nonsense": "",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.stop = threading.Event()
    server.folder = tmp_path_factory.mktemp("served")
    for name, data in CONTENT.items():
        (server.folder / name).write_bytes(data)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.stop.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def mirrors(server, monkeypatch):
    """Return a function that makes the server, with the given behaviours, the mirrors."""
    server.requests, server.sent = [], 0
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)

    def use(*behaviours):
        base = f"http://127.0.0.1:{server.server_port}"
        return Mirrors(
            tuple(f"{base}/{behaviour}/" for behaviour in behaviours),
            FILES,
            timeout=0.5,
            patience=0.8,
            deadline=0.8,
        )

    return use


def assert_whole(folder):
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT


@pytest.mark.parametrize("behaviour", ["good", "good_without_length", "redirect_to_good"])
def test_sound_files_arrive(mirrors, server, tmp_path, behaviour):
    site = mirrors(behaviour)
    site.download(tmp_path / "new" / "cache")
    assert_whole(tmp_path / "new" / "cache")
    server.requests.clear()
    site.download(tmp_path / "new" / "cache")
    assert server.requests == []


@pytest.mark.parametrize("behaviour", REFUSED)
def test_a_bad_mirror_is_refused_and_leaves_nothing(mirrors, server, tmp_path, behaviour):
    site = mirrors(behaviour)
    with pytest.raises(DataError) as caught:
        site.download(tmp_path)
    assert "127.0.0.1" in str(caught.value)
    assert REFUSED[behaviour] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert server.sent < 64 << 20


@pytest.mark.parametrize("behaviour", full_except(REFUSED, "half", "wrong_bytes"))
def test_the_second_mirror_serves_if_the_first_fails(mirrors, server, tmp_path, behaviour):
    site = mirrors(behaviour, "good")
    site.download(tmp_path)
    assert_whole(tmp_path)
    # A mirror that failed once is not asked first again.
    asked = [path.split("/")[1] for path in server.requests if "redirect" not in path]
    assert asked.count("good") == 4
    assert asked.count(behaviour) <= 1


def test_unreachable_mirrors(tmp_path):
    with pytest.raises(DataError, match=r"127\.0\.0\.1:1: .*refused"):
        Mirrors(("http://127.0.0.1:1/",), FILES).download(tmp_path)
    with pytest.raises(DataError, match="no network"):
        Mirrors(("https://mirror.invalid/",), FILES).download(tmp_path)


def test_a_damaged_or_half_file_in_the_cache_is_fetched_again(mirrors, server, tmp_path):
    site = mirrors("good")
    site.download(tmp_path)
    names = list(CONTENT)
    (tmp_path / names[0]).write_bytes(CONTENT[names[0]][:-5])
    (tmp_path / names[1]).write_bytes(CONTENT[names[1]][:-1] + b"?")
    server.requests.clear()
    site.download(tmp_path)
    assert_whole(tmp_path)
    assert server.requests == [f"/good/{name}" for name in names[:2]]


def test_a_folder_that_cannot_be_written(mirrors, server, tmp_path):
    site = mirrors("good")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="the cache cannot be written"):
        site.download(tmp_path / "file" / "cache")
    assert server.requests == []


# ---- as get_mnist uses it


@pytest.fixture
def online(nowhere, mirrors, monkeypatch):  # noqa: F811
    """Return a function that makes the public functions use the server; and the cache folder."""
    monkeypatch.delenv("VAE_TF1_OFFLINE")

    def use(*behaviours):
        loader = Loader(mirrors(*behaviours), StandIn({"train": 60, "test": 10}))
        monkeypatch.setattr(mnist.loader, "_LOADER", loader)
        return nowhere / ".cache" / "vae_tf1"

    return use


def test_get_mnist_downloads_once_into_the_cache(online, server, capfd):
    cache = online("good")
    X, _ = get_mnist()
    assert len(X) == 40
    assert_whole(cache)
    assert len(load_mnist(split="test").images) == 40
    assert len(server.requests) == 4
    assert capfd.readouterr().err.splitlines() == [
        f"data: MNIST, 40 training images from {cache}",
        f"data: MNIST, 40 test images from {cache}",
    ]


def test_get_mnist_says_why_it_makes_do_with_the_built_in_digits(online, server, capfd):
    online("not_found")
    assert load_mnist().source.is_builtin
    (line,) = capfd.readouterr().err.splitlines()
    assert "No MNIST found and none downloaded" in line
    assert "HTTP status 404" in line
    assert "built-in digits" in line
    # It is tried once a process: training and test images are never of different sources.
    server.requests.clear()
    assert load_mnist(split="test").source.is_builtin
    assert server.requests == []


@pytest.mark.parametrize("value", ["keyword", "variable"])
def test_the_download_can_be_forbidden(online, server, monkeypatch, value):
    online("good")
    if value == "variable":
        monkeypatch.setenv("VAE_TF1_OFFLINE", "1")
    assert load_mnist(download=value == "variable", quiet=True).source.is_builtin
    assert server.requests == []


def test_a_path_is_never_replaced_by_a_download(online, server):
    cache = online("good")
    with pytest.raises(DataError):
        load_mnist(cache / "nothing")
    assert server.requests == []


def test_a_progress_bar_on_a_terminal_only(mirrors, tmp_path, monkeypatch, capfd):
    site = mirrors("good")
    site.download(tmp_path / "a")
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    site.download(tmp_path / "b", quiet=True)
    assert capfd.readouterr() == ("", "")
    site.download(tmp_path / "c")
    out, err = capfd.readouterr()
    assert out == ""
    assert "Downloading MNIST" in err
    assert "100%" in err or "0%" in err


# ---- killed at any moment


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_download_leaves_no_half_file(server, tmp_path):
    script = (
        "import sys, pathlib; from vae_tf1.data.mnist.download import Mirrors\n"
        f"address = f'http://127.0.0.1:{server.server_port}/{{sys.argv[1]}}/'\n"
        f"site = Mirrors((address,), {FILES!r})\n"
        "print('ready', flush=True)\n"
        "site.download(pathlib.Path(sys.argv[2]), quiet=True)"
    )
    environment = dict(os.environ, PYTHONPATH=str(Path(mnist.download.__file__).parents[3]))
    runs = []
    for behaviour, delay in (("drip", 0.3), ("good", 0.0), ("good", 0.01)):
        folder = tmp_path / f"{behaviour}{delay}"
        command = [sys.executable, "-c", script, behaviour, str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        runs.append((process, delay, folder))
    for process, delay, folder in runs:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(delay)
        process.kill()
        process.communicate()
        there = [path for path in folder.glob("*") if path.suffix != ".part"]
        assert {path.name: path.read_bytes() for path in there}.items() <= CONTENT.items()
