"""The command line of the main job: what it understands, and how it refuses the rest."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.run_mnist_runs import PROGRAM, environment

from vae_tf1.app.options import Options, parse_options

FIRST_LINE = (
    "first the data and TensorFlow are loaded, then follow 30 epochs in batches of 64, "
    "then the results\n"
)


def test_without_options_it_is_the_job_of_the_original():
    assert parse_options([]) == Options(
        data=None,
        limit=None,
        epochs=30,
        batch_size=64,
        layers=(200, 100),
        seed=None,
        output=Path("output"),
        prompts=True,
        checkpoint_dir=None,
        log_likelihood=None,
    )


def test_every_option_arrives():
    text = (
        "--data mnist --limit 1000 --epochs 3 --batch-size 50 --layers 300 200 20 --seed 0 "
        "--output pictures --no-prompts --checkpoint-dir saved "
        "--log-likelihood 100 --page --cluster slurm --wait 20"
    )
    assert parse_options(text.split()) == Options(
        data="mnist",
        limit=1000,
        epochs=3,
        batch_size=50,
        layers=(300, 200, 20),
        seed=0,
        output=Path("pictures"),
        prompts=False,
        checkpoint_dir=Path("saved"),
        log_likelihood=100,
        page=True,
        cluster="slurm",
        wait=20,
    )


def test_the_log_likelihood_takes_5000_samples_unless_told_otherwise():
    assert parse_options(["--log-likelihood"]).log_likelihood == 5000


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("--latent 2", (200, 2)),
        ("--layers 500 300 50 --latent 2", (500, 300, 2)),
        ("--latent 2 --layers 50", (2,)),
    ],
)
def test_latent_takes_the_place_of_the_last_layer(text, layers):
    assert parse_options(text.split()).layers == layers


def test_a_tilde_is_the_users_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("USERPROFILE", "/home/somebody")
    assert parse_options(["--output", "~/pictures"]).output == Path("/home/somebody/pictures")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("--epochs 0", "argument --epochs: a whole number from 1 to 1,000,000 is wanted, not '0'"),
        ("--epochs ten", "a whole number from 1 to 1,000,000 is wanted, not 'ten'"),
        ("--epochs 1.5", "a whole number from 1 to 1,000,000 is wanted, not '1.5'"),
        ("--epochs", "argument --epochs: expected one argument"),
        ("--batch-size -64", "--batch-size: a whole number from 1 to 1,000,000 is wanted"),
        ("--log-likelihood 0", "argument --log-likelihood: a whole number from 1 to 1,000,000"),
        ("--limit 0", "argument --limit: a whole number from 1"),
        ("--layers", "argument --layers: expected at least one argument"),
        ("--layers 200 0", "argument --layers: a whole number from 1 to 10,000 is wanted, not '0'"),
        ("--layers 200,100", "is wanted, not '200,100'"),
        ("--latent 99999", "argument --latent: a whole number from 1 to 10,000 is wanted"),
        ("--seed -1", "argument --seed: a whole number from 0 is wanted, not '-1'"),
        ("--output=", "argument --output: a path is wanted, not ''"),
        ("--data=", "argument --data: a path is wanted, not ''"),
        ("--checkpoint-dir=\0", "argument --checkpoint-dir: a path is wanted"),
        ("mnist", "unrecognized arguments: mnist"),
        ("--colour", "unrecognized arguments: --colour"),
    ],
)
def test_a_wrong_option_is_refused_in_one_sentence(text, sentence, capsys):
    with pytest.raises(SystemExit) as refused:
        parse_options(text.split(" "))
    assert refused.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    last = said.err.splitlines()[-1]
    assert last.startswith("run_mnist.py: error: ")
    assert sentence in last


def test_the_help_names_every_option_its_default_and_the_exit_statuses(capsys):
    with pytest.raises(SystemExit) as helped:
        parse_options(["--help"])
    assert helped.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for option in (
        *("--data", "--limit", "--layers", "--latent", "--seed", "--epochs", "--batch-size"),
        *("--checkpoint-dir", "--output", "--no-prompts", "--cluster", "--wait"),
    ):
        assert f" {option} " in text
    for default in ("default: 200 100", "default: 30", "default: 64", "default: output"):
        assert default in text
    assert "exit status: 0 when all is done; 1 when" in text
    assert "2 when an option is wrong; 75 when another worker" in text
    assert "130 when Ctrl-C" in text


@pytest.fixture
def program_without():
    """Run the program where some modules cannot be imported."""
    code = (
        "import runpy, sys\n"
        "sys.modules.update(dict.fromkeys(sys.argv.pop(1).split()))\n"
        f"sys.argv[0] = {str(PROGRAM)!r}\n"
        f"sys.path.insert(0, {str(PROGRAM.parent)!r})\n"
        f"runpy.run_path({str(PROGRAM)!r}, run_name='__main__')\n"
    )

    def run(modules, *arguments, cwd):
        return subprocess.run(
            [sys.executable, "-c", code, modules, *map(str, arguments)],
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_what_is_wrong_is_said_before_anything_slow_begins(program_without, tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    slow, slower = "numpy tensorflow matplotlib", "tensorflow matplotlib"
    helped = program_without(slow, "--help", cwd=tmp_path)
    assert (helped.returncode, helped.stderr) == (0, "")
    assert helped.stdout.startswith("usage: run_mnist.py ")

    nothing, unusable = tmp_path / "nothing", "cannot save pictures in"
    for arguments, without, status, sentence in (
        (("--epochs", "0"), slow, 2, "argument --epochs: a whole number from 1 to 1,000,000"),
        (("--limit", "63"), slow, 2, "--batch-size 64 is more than --limit 63"),
        (("--output", file), slow, 1, f"{unusable} {file}: it is a file, not a folder"),
        (("--output", file / "in"), slow, 1, f"{unusable} {file / 'in'}: Not a directory"),
        (("--data", nothing), slower, 1, f"{nothing}: no such file or folder"),
        (("--data", file), slower, 1, f"{file}: "),
    ):
        refused = program_without(without, *arguments, cwd=tmp_path)
        assert refused.returncode == status, refused
        assert "Traceback" not in refused.stderr
        assert refused.stderr.splitlines()[-1].startswith("run_mnist.py: error: ")
        assert sentence in refused.stderr.splitlines()[-1]
        assert refused.stdout == ("" if without == slow else FIRST_LINE)


def test_a_line_is_shown_before_anything_slow_begins(program_without, tmp_path):
    stopped = program_without("numpy tensorflow", cwd=tmp_path)
    assert stopped.stdout == FIRST_LINE
    assert "import of numpy halted" in stopped.stderr.splitlines()[-1]
