"""A notebook runs as a script; `%load_ext vae_tf1.legacy` gives a running one TensorFlow 1."""

import ast
import builtins
import json
import sys
from types import ModuleType, SimpleNamespace

import pytest
from support.legacy_runs import run

from vae_tf1 import legacy
from vae_tf1.legacy import notebook, tensorflow1
from vae_tf1.legacy.report import usage

CELLS = [
    "%matplotlib inline\n%load_ext autoreload\n!pip install tensorflow==1.15\n"
    "import numpy as np\nimport tensorflow as tf",
    ["# a cell may be a list of lines\n", "where = !echo here\n", "!echo {where[0]} $HOME_OF_IT\n",
     "x = tf.placeholder(tf.float32)\n", "text = '''\n", "%not a magic\n", "'''\n",
     "share = ('%d of %d'\n", "  % (1, 2))\n", "share\n"],
    "%%time\nwith tf.Session() as sess:\n    y = sess.run(x * 2, {x: 3})\n"
    "print(y, float(np.ones([1, 1])))",
    "%%writefile note.txt\nfirst\nsecond",
    "%env NOTE=kept\nimport os\nos.environ['NOTE'], open('note.txt').read();",
    "%%html\n<b>bold</b>",
    "np.float32(1.5)",
]  # fmt: skip


def write(path, cells, **metadata):
    made = [{"cell_type": "code", "source": source, "outputs": []} for source in cells]
    text = {"cell_type": "markdown", "source": "# Not code"}
    content = {"cells": [text, *made], "metadata": metadata, "nbformat": 4, "nbformat_minor": 2}
    path.write_text(json.dumps(content))
    return path


def run_here(path, capsys):
    """Run a notebook in this process; return its names and what it printed."""
    module = ModuleType("__main__")
    module.__file__ = str(path)
    with tensorflow1():
        notebook.run(notebook.read(path.read_bytes(), str(path)), module)
    return module, capsys.readouterr()


def test_the_cells_run_one_after_the_other_and_show_what_they_end_with(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOTE", raising=False)
    module, shown = run_here(write(tmp_path / "old.ipynb", CELLS), capsys)
    assert shown.out.splitlines() == ["'1 of 2'", "6.0 1.0", "1.5"]
    assert module.where == ["here"]
    assert module.text == "\n%not a magic\n"
    assert "pip install tensorflow==1.15" in shown.err
    assert "%%html" in shown.err
    assert (tmp_path / "note.txt").read_text() == "first\nsecond"


@pytest.mark.parametrize("metadata", [{}, {"language_info": {"version": "2.7.6"}}])
def test_in_a_notebook_of_python_2_every_cell_is(tmp_path, capsys, metadata):
    cells = ["from __future__ import print_function"] if metadata else ["print 'two'"]
    module, _ = run_here(
        write(tmp_path / "two.ipynb", [*cells, "half = 7 / 2"], **metadata), capsys
    )
    assert module.half == 3


def test_format_3_and_what_is_no_notebook(tmp_path, capsys):
    path = tmp_path / "three.ipynb"
    cell = {"cell_type": "code", "input": ["a = 1\n", "b = a + 1"]}
    path.write_text(json.dumps({"worksheets": [{"cells": [cell]}], "nbformat": 3}))
    assert run_here(path, capsys)[0].b == 2
    with pytest.raises(SyntaxError, match="holds none"):
        notebook.read(b"print('no json')", "four.ipynb")


def test_the_report_names_cells(tmp_path):
    found = usage(write(tmp_path / "old.ipynb", [*CELLS, "tf.no_such_name\n"]))
    assert found.names["nobody"] == {"tf.no_such_name": [8]}
    assert found.names["tensorflow.compat.v1"]["tf.placeholder"] == [2]


@pytest.mark.full
def test_from_the_command_line_a_traceback_shows_the_cells_line(tmp_path):
    cells = ["import tensorflow as tf\nprint(tf.__version__)", "a = 1\nopen('no_such_data.csv')"]
    done = run(write(tmp_path / "fails.ipynb", cells), cwd=tmp_path)
    assert done.stdout == "1.15.5\n"
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert "fails.ipynb, cell 2" in lines[1]
    assert lines[1].endswith("line 2, in <module>")
    assert lines[2].strip() == "open('no_such_data.csv')"
    assert "notebook.py" not in done.stderr
    assert (
        lines[-1] == "(The script's data is missing, not a name of TensorFlow's: no_such_data.csv)"
    )


class TestWithinJupyter:
    """IPython's part is to call the transformers in order, as its documentation says."""

    @pytest.fixture
    def ipython(self):
        shell = SimpleNamespace(input_transformers_post=[], ast_transformers=[], user_ns={})
        legacy.load_ipython_extension(shell)
        yield shell
        legacy.unload_ipython_extension(shell)

    def cell(self, ipython, source):
        lines = source.splitlines(keepends=True)
        for transform in ipython.input_transformers_post:
            lines = transform(lines)
        tree = ast.parse("".join(lines))
        for transformer in ipython.ast_transformers:
            tree = transformer.visit(tree)
        ipython.user_ns.setdefault("__name__", "__main__")
        exec(compile(tree, "<cell>", "exec"), ipython.user_ns)

    def test_cells_get_tensorflow_1_and_numpy_1(self, ipython):
        self.cell(ipython, "import tensorflow as tf, numpy as np\nx = tf.placeholder(tf.float32)\n")
        self.cell(ipython, "number = float(np.ones([1, 1]))\n")
        assert ipython.user_ns["number"] == 1
        assert ipython.user_ns["tf"].__version__ == "1.15.5"

    def test_cells_of_python_2_are_translated_and_so_are_those_below(self, ipython, capsys):
        self.cell(ipython, "half = 7 / 2\n")
        assert ipython.user_ns["half"] == 3.5
        self.cell(ipython, "print 'two'\n")
        self.cell(ipython, "half = 7 / 2\n")
        assert capsys.readouterr().out == "two\n"
        assert ipython.user_ns["half"] == 3

    def test_unloading_puts_everything_back(self):
        found = builtins.__import__, [*sys.meta_path]
        shell = SimpleNamespace(input_transformers_post=[], ast_transformers=[], user_ns={})
        legacy.load_ipython_extension(shell)
        legacy.load_ipython_extension(shell)  # twice is once
        assert len(shell.ast_transformers) == 1
        legacy.unload_ipython_extension(shell)
        assert (builtins.__import__, [*sys.meta_path]) == found
        assert not shell.ast_transformers
        assert not shell.input_transformers_post
