"""The main job from end to end, as a user sees it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.mnist_files import write_idx
from support.run_mnist_runs import PROGRAM, TIMEOUT, Terminal, environment, is_png, results, start

from vae_tf1 import VariationalAutoencoder
from vae_tf1.app import errors, job
from vae_tf1.errors import ConversionError

ALWAYS = [
    *("training_curve", "overview", "reconstructions", "prior_samples", "prior_probabilities"),
]
QUESTION = "Generate another? [Y/n] "
SMALL = ("--epochs", "2", "--layers", "12", "3", "--seed", "0")


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """A folder with 300 training and 300 test images, as MNIST's files have them."""
    folder = tmp_path_factory.mktemp("mnist")
    content = write_idx(folder, n=300)
    return folder, {part: images > 127 for part, (images, _) in content.items()}


@pytest.fixture(scope="module")
def program():
    """The module, imported; `main` then runs in this process."""
    sys.path.insert(0, str(PROGRAM.parent))
    import run_mnist

    yield run_mnist
    sys.path.remove(str(PROGRAM.parent))


@pytest.fixture
def run(program, mnist, tmp_path, monkeypatch, capsys):
    """Run `main` in this process, without a terminal; return (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["run_mnist.py", "--data", str(mnist[0]), *arguments])
        status = errors.run(program.main)
        return status, *capsys.readouterr()

    return run


def names(folder):
    return {path.stem for path in Path(folder).iterdir()}


# As a user, in a process of its own


@pytest.mark.full
def test_without_a_terminal_nothing_is_asked_and_everything_is_saved(mnist, tmp_path):
    folder, images = mnist
    arguments = ("--data", folder, "--epochs", 3, "--layers", 16, "--latent", 2, "--seed", 5)
    with subprocess.Popen(
        [sys.executable, "-m", "run_mnist", *map(str, arguments)],
        cwd=tmp_path,
        env=environment(PYTHONPATH=os.pathsep.join([str(PROGRAM.parent), *filter(None, sys.path)])),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, err
    assert "another" not in out + err
    # which data, and not a word of TensorFlow's
    assert err.splitlines() == [
        f"data: MNIST, 300 training images from {folder}",
        f"data: MNIST, 300 test images from {folder}",
    ]

    output = tmp_path / "output"
    samples = {"posterior_sample_1", "prior_sample_1"}
    assert names(output) == {*ALWAYS, "latent_codes", "latent_plane", *samples}
    assert all(is_png(file) for file in output.iterdir())
    lines = out.splitlines()
    assert lines[0].startswith("first the data and TensorFlow are loaded, then follow 3 epochs")
    assert re.fullmatch(r"loading TensorFlow: \d+\.\d s", lines[1])
    assert lines[2] == "model: 784-2-784, a code of 2"
    assert f"pictures       {output}" in lines
    assert {line.strip() for line in lines} >= {file.name for file in output.iterdir()}
    assert "3 epochs, 12 steps, seed 5" in out

    elbo, reconstruction, kl = results(out)
    assert elbo == pytest.approx(reconstruction - kl, abs=0.011)
    with VariationalAutoencoder(784, [2], seed=5) as vae:
        vae.fit(images["train"], epochs=3, progress=False, plot=False)
        expected = vae.evaluate(images["test"])
    np.testing.assert_allclose((elbo, reconstruction, kl), expected, atol=0.006)


@pytest.mark.full
def test_at_a_terminal_it_asks_and_saves_each_sample_that_is_wanted(mnist, tmp_path):
    with Terminal("--data", mnist[0], *SMALL, "--output", "pictures", cwd=tmp_path) as terminal:
        for number, answer in ((1, "\n"), (2, "y\n"), (3, "n\n")):
            before = terminal.wait_for(QUESTION)
            assert f"saved pictures/posterior_sample_{number}.png" in before
            terminal.type(answer)
        for number, answer in ((1, "Y\n"), (2, "No\n")):
            before = terminal.wait_for(QUESTION)
            assert f"saved pictures/prior_sample_{number}.png" in before
            terminal.type(answer)
        rest, status = terminal.end()
    assert status == 0
    assert QUESTION not in rest
    assert f"pictures       {tmp_path / 'pictures'}" in rest
    samples = {f"posterior_sample_{n}" for n in (1, 2, 3)} | {f"prior_sample_{n}" for n in (1, 2)}
    assert names(tmp_path / "pictures") == {*ALWAYS, *samples}
    assert "epoch 2/2: 100%" in terminal.text  # a bar


@pytest.mark.full
def test_with_a_display_there_are_windows_until_ctrl_c_at_a_question(mnist, tmp_path):
    log = tmp_path / "windows"
    log.touch()
    variables = {
        "MPLBACKEND": "module://support.window_backend",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "WINDOW_LOG": str(log),
    }
    with Terminal("--data", mnist[0], *SMALL, cwd=tmp_path, **variables) as terminal:
        terminal.wait_for(QUESTION)
        before = log.read_text().count("alive")
        until = time.monotonic() + TIMEOUT
        while log.read_text().count("alive") < before + 20:  # they live while it waits
            assert time.monotonic() < until
            time.sleep(0.02)
        terminal.type("y\n")
        terminal.wait_for(QUESTION)
        terminal.type("\x03")
        rest, status = terminal.end()
    assert status == 0
    assert "Traceback" not in rest
    results(rest)
    windows = [event for event in log.read_text().splitlines() if event != "alive"]
    shown = ["training curve", "overview", "posterior sample"]
    assert windows[:4] == [f"show {name}" for name in [*shown, "posterior sample"]]
    assert sorted(windows[4:]) == sorted(f"close {name}" for name in shown)
    assert names(tmp_path / "output") == set(ALWAYS)


@pytest.mark.full
def test_ctrl_c_during_the_training_keeps_what_was_learned(mnist, tmp_path):
    many = ("--epochs", "1000000", "--layers", "12", "3", "--seed", "0")
    process = start("--data", mnist[0], *many, cwd=tmp_path)
    with process:
        seen = ""
        while "epoch 2/" not in seen:
            seen = process.stdout.readline()
            assert seen, process.stderr.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert "what was learned is kept (Ctrl-C again to quit)" in out
    assert "another" not in out
    elbo, _, _ = results(out)
    assert -750 < elbo < 0
    assert names(tmp_path / "output") == {*ALWAYS, "posterior_sample_1", "prior_sample_1"}


# The same program in this process, where a failure can be arranged


@pytest.mark.full
def test_a_run_goes_on_where_its_checkpoint_folder_ends(run):
    def resumable(epochs):
        return run("--epochs", epochs, "--layers", "12", "3", "--checkpoint-dir", "saved")

    status, first, _ = resumable("2")
    assert status == 0
    assert "in this run, 2 epochs, 8 steps" in first
    status, second, _ = resumable("4")
    assert status == 0
    assert "resumed at epoch 3, step 8" in second
    assert "4 epochs, 16 steps" in second
    seed = second.split("seed ")[1].split()[0]
    assert f"seed {seed}" in first
    status, whole, _ = run("--epochs", "4", "--layers", "12", "3", "--seed", seed)
    assert results(second) == results(whole)

    status, third, said = resumable("4")
    assert status == 0
    assert "warning: nothing left to train: 4 epochs are done in saved" in said
    assert results(third) == results(whole)


@pytest.mark.full
def test_a_checkpoint_of_another_model_is_refused_in_one_sentence(run):
    assert run(*SMALL, "--checkpoint-dir", "saved")[0] == 0
    status, out, err = run(*SMALL, "--latent", "4", "--checkpoint-dir", "saved")
    assert status == 1
    assert err.splitlines()[-1].startswith("run_mnist.py: error: W of encoder layer 2 has shape")
    assert "epoch 1" not in out


@pytest.mark.full
def test_a_page_to_play_with_is_written_and_listed(run, mnist):
    status, out, _ = run(*SMALL, "--page")
    assert status == 0
    assert names("output") == {*ALWAYS, "posterior_sample_1", "prior_sample_1", "page"}
    assert "page.html" in {line.strip() for line in out.splitlines()}
    page = Path("output", "page.html").read_text(encoding="utf-8")
    model = json.loads(page.split('id="model">')[1].split("</script>")[0])
    assert (model["D"], model["M"], model["binary"]) == (784, 3, True)
    assert len(model["plane"]["points"]) == len(mnist[1]["test"])


@pytest.mark.full
def test_a_page_that_cannot_be_written_is_one_sentence_and_the_result_is_printed(run, monkeypatch):
    def fail(self, *arguments, **options):
        raise ConversionError("the page differs by 1.0e-02")

    monkeypatch.setattr(VariationalAutoencoder, "export", fail)
    status, out, err = run(*SMALL, "--page")
    assert status == 1
    results(out)
    assert err.splitlines()[-1] == "run_mnist.py: error: the page differs by 1.0e-02"


@pytest.mark.full
def test_no_prompts_means_no_question_even_at_a_terminal(run, monkeypatch):
    monkeypatch.setattr(job, "can_ask", lambda: True)
    monkeypatch.setattr(job, "another", lambda meanwhile: pytest.fail("it has asked"))
    status, _, _ = run(*SMALL, "--no-prompts")
    assert status == 0
    assert names("output") == {*ALWAYS, "posterior_sample_1", "prior_sample_1"}


@pytest.mark.full
def test_the_log_likelihood_of_the_test_images_is_printed_on_request(run, mnist):
    status, out, _ = run(*SMALL, "--no-prompts", "--log-likelihood", "3")
    assert status == 0
    line = next(line for line in out.splitlines() if line.startswith("test log p(x)"))
    assert line.endswith("nats per image, by importance sampling with 3 codes an image")
    with VariationalAutoencoder(784, [12, 3], seed=0) as vae:
        vae.fit(mnist[1]["train"], epochs=2, progress=False, plot=False)
        expected = vae.log_likelihood(mnist[1]["test"], 3)
    assert float(line.split()[3]) == pytest.approx(expected.mean(), abs=0.006)


def test_ctrl_c_before_the_first_step_has_nothing_to_keep(run, monkeypatch):
    def interrupt(self, *arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(VariationalAutoencoder, "fit", interrupt)
    status, out, err = run(*SMALL)
    assert status == 130
    assert err.endswith("\nrun_mnist.py: interrupted\n")
    assert "ELBO" not in out
    assert names("output") == set()


def test_the_result_is_printed_even_where_the_disk_is_full(run, monkeypatch):
    def full(self, *arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    status, out, err = run(*SMALL)
    assert status == 1
    results(out)
    assert err.splitlines()[-1] == (
        "run_mnist.py: error: cannot save pictures in output: No space left on device"
    )


def test_what_tensorflow_cannot_do_is_one_sentence(run, monkeypatch):
    import tensorflow as tf

    def fail(self, *arguments, **options):
        message = (
            "Graph execution error:\n\nDetected at node 'a'\n  File \"b\"\nNode: 'a'\n"
            "OOM when allocating tensor with shape[9000,9000]\n\t [[{{node a}}]]"
        )
        raise tf.errors.ResourceExhaustedError(None, None, message)

    monkeypatch.setattr(VariationalAutoencoder, "fit", fail)
    status, _, err = run(*SMALL)
    assert status == 1
    assert err.splitlines()[-1] == (
        "run_mnist.py: error: TensorFlow cannot train this model: "
        "OOM when allocating tensor with shape[9000,9000]"
    )


@pytest.mark.full
def test_warnings_are_for_users(run, monkeypatch):
    import warnings

    fit = VariationalAutoencoder.fit

    def warn(self, *arguments, **options):
        warnings.warn("the disk is slow", RuntimeWarning, stacklevel=1)
        return fit(self, *arguments, **options)

    monkeypatch.setattr(VariationalAutoencoder, "fit", warn)
    status, _, err = run(*SMALL)
    assert status == 0
    assert "run_mnist.py: warning: the disk is slow\n" in err
    assert "test_run_mnist" not in err


# What the exit does


def test_a_second_ctrl_c_quits_even_where_an_exception_would_be_swallowed():
    code = (
        "import time\n"
        "from vae_tf1.app.errors import quit_on_ctrl_c\n"
        "class Deaf:\n"
        "    def __del__(self):\n"
        "        quit_on_ctrl_c(); print('ready', flush=True); time.sleep(60)\n"
        "deaf = Deaf(); del deaf; print('still there')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(PYTHONPATH=str(PROGRAM.parent)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=30)
    assert (process.returncode, rest) == (130, "")
    assert err == "\nrun_mnist.py: interrupted\n"


def test_a_reader_that_goes_away_is_no_error_of_ours():
    code = (
        "import sys\n"
        "from vae_tf1.app.errors import run\n"
        "def main():\n"
        "    while True: print('a line', flush=True)\n"
        "sys.exit(run(main))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment(PYTHONPATH=str(PROGRAM.parent)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 1
