"""README and docs: every Python block runs as printed, every link and every name leads somewhere.

The blocks of a page run in the order printed, in one namespace and an empty folder, on little
data: `get_mnist()` finds a folder with drawn digits. A block with a title, ``python title="x.py"``,
is a script of 2017: it becomes that file, and the page's command ``python -m vae_tf1.legacy x.py``
runs it.
"""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.kinds import full_except

ROOT = Path(__file__).parents[1]
README, TUTORIAL = ROOT / "README.md", ROOT / "docs" / "tutorial.ipynb"
PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("docs/**/*.md")),
]
BLOCK = re.compile(r"^```python(?P<info>[^\n]*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!`)\[[^\]]+\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
OPTIONAL = {"torch", "jax", "onnx", "onnxruntime", "safetensors", "sklearn"}  # of the extras


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return title and code of each Python block; line numbers are those of the page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        title = re.search(r'title="([^"]+)"', match["info"])
        above = "\n" * (text[: match.start("code")].count("\n"))
        found.append((title[1] if title else "", above + match["code"]))
    return found


WITH_CODE = [page for page in PAGES if blocks(page)]
WITH_SCRIPTS = [page for page in WITH_CODE if any(title for title, _ in blocks(page))]


def run(page: Path) -> None:
    """Run the blocks of a page in one namespace, but not its scripts."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for title, code in blocks(page):
        if not title:
            exec(compile(code, str(page), "exec"), namespace)


def run_in_process(*arguments: str) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        check=True,
        timeout=300,
    )


def missing(page: Path) -> set[str]:
    """Return the optional packages that a page imports and this environment has not."""
    code = "\n".join(code for title, code in blocks(page) if not title)
    nodes = list(ast.walk(ast.parse(code)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    needed = {name.split(".")[0] for name in names} & OPTIONAL
    return {name for name in needed if importlib.util.find_spec(name) is None}


@pytest.mark.parametrize("page", full_except(WITH_CODE, README), ids=name_of)
def test_the_blocks_of_a_page_run_in_the_order_printed(page, few_digits, tmp_path, monkeypatch):
    if missing(page):
        pytest.skip(f"not installed: {', '.join(sorted(missing(page)))}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_TF1_DATA", str(few_digits))
    code = "".join(code for title, code in blocks(page) if not title)
    if "disable_" in code or "tensorflow1()" in code:  # it changes the process for good
        run_in_process("-c", f"import test_docs as t; t.run(t.Path({str(page)!r}))")
    else:
        run(page)


@pytest.mark.full
@pytest.mark.parametrize("page", WITH_SCRIPTS, ids=name_of)
def test_the_scripts_of_a_page_run_with_its_command(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_TF1_DATA", "builtin")
    for title, code in blocks(page):
        if title:
            Path(title).write_text(code.lstrip("\n"), encoding="utf-8")
            assert f"python -m vae_tf1.legacy {title}" in page.read_text(encoding="utf-8")
            run_in_process("-m", "vae_tf1.legacy", title)


@pytest.mark.full
def test_the_tutorial_runs_from_top_to_bottom(few_digits, tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("VAE_TF1_DATA", str(few_digits))
    notebook = nbformat.read(TUTORIAL, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    shown = [
        output["data"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    assert sum("image/png" in data for data in shown) >= 5


def test_the_tutorial_is_kept_without_outputs():
    cells = json.loads(TUTORIAL.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def test_readme_and_docs_have_code_to_run():
    assert README in WITH_CODE
    assert len(WITH_CODE) >= 5


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_to_a_file_leads_somewhere(page):
    targets = {
        target
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not target.startswith(("http:", "https:", "mailto:"))
    }
    assert {target for target in targets if not (page.parent / target).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_exists(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"\b(?:tests|examples|benchmarks|vae_tf1|docs)/[\w./-]+\.(?:py|md|npz|csv)\b", text
    )
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_every_page_that_the_code_names_exists():
    named = {
        page
        for folder in ("vae_tf1", "benchmarks", "examples", "util")
        for file in (ROOT / folder).rglob("*.py")
        for page in re.findall(r"\bdocs/[\w/-]+\.md\b", file.read_text(encoding="utf-8"))
    }
    assert {page for page in named if not (ROOT / page).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_pytest_command_names_tests_that_exist(page):
    for command in re.findall(
        r"-m pytest((?: +tests/\S+?)+)(?=[ `\n]|$)", page.read_text(encoding="utf-8")
    ):
        for path in command.split():
            assert (ROOT / path.rstrip("`")).exists(), path


def test_the_readme_is_short_and_has_one_table():
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 130
    assert sum(bool(re.fullmatch(r"[| :-]*---[| :-]*", line)) for line in lines) == 1


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert set(re.findall(r"[\w/.-]+\.md\b", navigation)) == pages


def test_every_option_of_the_main_program_is_on_the_first_page():
    from vae_tf1.app import options

    documented = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    flags = {
        flag
        for action in options._parser()._actions
        for flag in action.option_strings
        if flag.startswith("--") and flag != "--help"
    }
    assert {flag for flag in flags if f"`{flag}" not in documented} == set()
