"""A typed script of a user's: mypy and pyright accept what is right, and find what is wrong."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = Path(__file__).parent / "support" / "typed_script.py"
WRONG = {
    number
    for number, line in enumerate(SCRIPT.read_text(encoding="utf-8").splitlines(), 1)
    if "# wrong: " in line
}


def test_the_script_has_right_and_wrong_lines():
    assert len(WRONG) > 10


@pytest.mark.full
def test_mypy_finds_what_is_wrong_and_nothing_else(tmp_path):
    api = pytest.importorskip("mypy.api")
    (tmp_path / "mypy.ini").write_text("[mypy]\n")  # not this project's settings
    printed, problems, _ = api.run(
        [
            *("--config-file", str(tmp_path / "mypy.ini"), "--cache-dir", str(tmp_path)),
            *("--python-executable", sys.executable, "--ignore-missing-imports"),
            *("--follow-imports", "silent", "--no-error-summary", "--hide-error-context"),
            str(SCRIPT),
        ]
    )
    assert problems == ""
    found = {int(line.split(":")[1]) for line in printed.splitlines() if ": error:" in line}
    assert found == WRONG, printed


@pytest.mark.full
def test_pyright_finds_what_is_wrong_and_nothing_else(tmp_path):
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("pyright is a program for Node.js, which is not installed")
    install = [npm, "install", "--silent", "--no-fund", "--no-audit", "--prefix", str(tmp_path)]
    try:
        subprocess.run([*install, "pyright"], check=True, capture_output=True, timeout=120)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip("npm cannot install pyright here")
    shutil.copy(SCRIPT, tmp_path / "script.py")
    project = tmp_path / "pyrightconfig.json"
    project.write_text(json.dumps({"include": ["script.py"], "extraPaths": [str(ROOT)]}))
    checked = subprocess.run(
        [
            *(str(tmp_path / "node_modules" / ".bin" / "pyright"), "--outputjson"),
            *("--pythonpath", sys.executable, "--project", str(project)),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    report = json.loads(checked.stdout)
    errors = [each for each in report["generalDiagnostics"] if each["severity"] == "error"]
    assert {each["range"]["start"]["line"] + 1 for each in errors} == WRONG, errors
