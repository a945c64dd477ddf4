"""`util`, the 2017 address of the loader: a face that stands beside a user's own `util`."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.mnist_files import write_idx

import util
from vae_tf1.data import mnist

PROJECT = Path(util.__file__).parents[1]
NAMES = {
    "DataError",
    "DataWarning",
    "Mnist",
    "Source",
    "builtin_digits",
    "get_mnist",
    "load_mnist",
}


def test_util_hands_on_the_loader_and_nothing_else():
    assert set(util.__all__) == set(mnist.__all__) == NAMES
    for name in NAMES:
        assert getattr(util, name) is getattr(mnist, name)
    assert [path.name for path in (PROJECT / "util").glob("*.py")] == ["__init__.py"]


def imports(file):
    """Return the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("part", ["run_mnist.py", "vae_tf1", "benchmarks", "examples"])
def test_nothing_inside_the_project_imports_util(part):
    files = [PROJECT / part] if part.endswith(".py") else [*(PROJECT / part).rglob("*.py")]
    assert files
    users = [
        str(file)
        for file in files
        for name in imports(file)
        if name == "util" or name.startswith("util.")
    ]
    assert users == []


# ---- beside a user's own


def run(folder, *arguments, place=PROJECT, **environment):
    """Run Python in a user's folder, with the project where `place` says."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=dict(os.environ, PYTHONPATH=str(place), MPLBACKEND="Agg", **environment),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


# What a user has, as file: content; and what "import util" then gives.
OWN = {
    "nothing": ({}, "ours"),
    "a file": ({"util.py": "whose = 'theirs'"}, "theirs"),
    "a package": ({"util/__init__.py": "whose = 'theirs'", "util/tools.py": "n = 3"}, "theirs"),
    "a folder": ({"util/tools.py": "n = 3"}, "ours"),
}
SCRIPT = """
import sys
import util
from vae_tf1.data import mnist
import run_mnist  # and with it the parts of the program

print(getattr(util, "whose", "ours"))
if hasattr(util, "get_mnist"):
    assert util.get_mnist is mnist.get_mnist
images, labels, source = mnist.load_mnist("data", "all", quiet=True)
print(len(images), "tensorflow" in sys.modules)
print(mnist.__file__)
try:
    import util.tools
except ImportError:
    print("no tools")
else:
    print("tools", util.tools.n)
"""


def assert_both_work(tmp_path, own, place):
    files, whose = OWN[own]
    for name, content in files.items():
        file = tmp_path / "course" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    write_idx(tmp_path / "course" / "data")
    (tmp_path / "course" / "script.py").write_text(SCRIPT)
    first, second, third, tools = run(tmp_path / "course", "script.py", place=place).splitlines()
    assert (first, second) == (whose, "60 False")
    assert third.startswith(str(place))
    assert tools == ("tools 3" if any("tools" in name for name in files) else "no tools")


@pytest.mark.parametrize("own", OWN)
def test_from_the_checkout(tmp_path, own):
    assert_both_work(tmp_path, own, PROJECT)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the project, not editable and without its dependencies, from a copy of it."""
    copy, target = (tmp_path_factory.mktemp(name) for name in ("copy", "installed"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "run_mnist.py"):
        shutil.copy(PROJECT / name, copy)
    for name in ("vae_tf1", "util"):
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target)]
    result = subprocess.run([*pip, str(copy)], capture_output=True, text=True)
    if "No matching distribution found for setuptools" in result.stderr:
        pytest.skip("pip cannot get the setuptools that builds the project")
    assert result.returncode == 0, result.stderr
    return target


@pytest.mark.full
@pytest.mark.parametrize("own", OWN)
def test_installed(tmp_path, installed, own):
    assert_both_work(tmp_path, own, installed)


@pytest.mark.full
def test_the_program_runs_beside_a_users_own_file(tmp_path, installed):
    (tmp_path / "util.py").write_text("whose = 'theirs'")
    write_idx(tmp_path / "data")
    options = "--data data --epochs 1 --batch-size 10 --layers 8 --latent 2 --seed 0 --no-prompts"
    told = run(tmp_path, "-m", "run_mnist", *options.split(), place=installed)
    assert "ELBO" in told


def test_importing_the_loader_is_quick_and_quiet():
    script = (
        "import sys, util, vae_tf1.data.mnist\n"
        "print(sorted({'matplotlib', 'tqdm', 'tensorflow'} & set(sys.modules)))"
    )
    assert run(PROJECT, "-W", "error", "-c", script).strip() == "[]"
