"""`--report` says who provides a script's names; it runs nothing."""

import re
import textwrap

import pytest

from vae_tf1.legacy import families
from vae_tf1.legacy.__main__ import main
from vae_tf1.legacy.machinery.overlay import origin, walk
from vae_tf1.legacy.report import _all_usages, report, usage

SCRIPT = """
    import os; from keras.layers import Dense
    import numpy as np
    import tensorflow as tf
    import tensorflow.contrib.slim as slim
    from tensorflow.contrib.layers import flatten as flat
    from tensorflow.python.framework import ops
    from tensorflow.examples.tutorials.mnist import input_data
    from no_such_package import thing
    import helper

    open('ran', 'w')
    st = tf.contrib.bayesflow.stochastic_tensor
    Normal = tf.contrib.distributions.Normal
    x = tf.placeholder(tf.float32, np.float)
    y = slim.fully_connected(flat(x), 3, activation_fn=tf.nn.relu)
    with st.value_type(st.SampleValue()):
        z = st.StochasticTensor(Normal(y, tf.nn.relu(x).shape[0]))
    tf.contrib.slim.fully_conected(z)
    tf.app.flags.FLAGS.batch
    tf.no_such_name.deeper(np.zeros(3), os.path)
    tf.python.ops.math_ops.add(z)
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT).lstrip())
    (tmp_path / "helper.py").write_text("import tensorflow as tf\nprint tf.pack\n")
    return path


def test_who_provides_what_and_on_which_lines(script):
    found = usage(script)
    assert not found.is_python2
    assert found.names["tensorflow.compat.v1"] == {
        "tf.app.flags.FLAGS": [19],
        "tf.float32": [14],
        "tf.nn.relu": [15, 17],
        "tf.placeholder": [14],
        "tf.python.framework.ops": [6],
        "tf.python.ops.math_ops.add": [21],
    }
    assert found.names["vae_tf1.legacy"] == {
        "numpy.float": [14],
        "tf.contrib.bayesflow.stochastic_tensor.SampleValue": [16],
        "tf.contrib.bayesflow.stochastic_tensor.StochasticTensor": [17],
        "tf.contrib.bayesflow.stochastic_tensor.value_type": [16],
        "tf.contrib.distributions.Normal": [13],
        "tf.contrib.layers.flatten": [5],
        "tf.contrib.slim.fully_connected": [15],
        "tf.keras.layers.Dense": [1],
    }
    assert found.names["nobody"] == {
        "no_such_package": [8],
        "tf.contrib.slim.fully_conected": [18],
        "tf.no_such_name": [20],
    }
    assert found.modules == [script.parent / "helper.py"]


def test_the_report_on_the_screen(script, capsys):
    assert report(str(script)) == 1
    printed = capsys.readouterr().out
    assert "6 by tensorflow.compat.v1, 8 by vae_tf1.legacy, 3 by nobody" in printed
    assert re.search(
        r"tf\.contrib\.slim\.fully_conected +line 18 +"
        r"\(nearest: tf\.contrib\.slim\.fully_connected\)",
        printed,
    )
    assert re.search(r"no_such_package +line 8 +\(not installed\)", printed)
    assert re.search(r"tf\.nn\.relu +lines 15, 17\n", printed)
    # the script's own module too, in Python 2 as it is
    assert re.search(
        r"helper\.py: .*\n  Python 2.*\n  vae_tf1.legacy\n    tf\.pack +line 2", printed
    )
    assert not (script.parent / "ran").exists()


def test_a_script_of_which_all_is_provided(tmp_path, capsys):
    (tmp_path / "fine.py").write_text("import tensorflow as tf\nprint(tf.Session)\n")
    with pytest.raises(SystemExit) as stop:
        main(["--report", str(tmp_path / "fine.py")])
    assert stop.value.code == 0
    assert "1 by tensorflow.compat.v1, 0 by vae_tf1.legacy, 0 by nobody" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "def f(:\n"])
def test_a_script_that_cannot_be_read(tmp_path, capsys, content):
    path = tmp_path / "broken.py"
    if content is not None:
        path.write_text(content)
    assert report(str(path)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert "broken.py" in shown.err


class TestWhereModulesAreFound:
    """As at run time: beside the script, and where it adds to the path; not beside each module."""

    def names(self, path):
        return {name for found in _all_usages(path) for name in found.names["nobody"]}

    def test_a_module_imports_what_lies_beside_the_script(self, tmp_path):
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "vae.py").write_text(
            "import layers\nfrom . import parts\nfrom util.deep import thing\n"
        )
        (tmp_path / "models" / "parts.py").write_text("import tensorflow as tf\ntf.no_such\n")
        (tmp_path / "layers.py").write_text("import no_package\n")
        (tmp_path / "util").mkdir()  # without an __init__.py it is the script's own all the same
        (tmp_path / "util" / "deep.py").write_text("import tensorflow as tf\ntf.neither\n")
        (tmp_path / "train.py").write_text("from models.vae import VAE\n")
        found = self.names(tmp_path / "train.py")
        assert found == {"tf.no_such", "no_package", "tf.neither"}

    @pytest.mark.parametrize(
        ("added", "missing"),
        [
            ("'../lib'", set()),
            ("os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib')", set()),
            ("sys.argv[1]", set()),  # cannot be told
            ("'../elsewhere'", {"shared"}),
        ],
    )
    def test_what_is_added_to_the_path(self, tmp_path, added, missing):
        (tmp_path / "lib").mkdir()
        (tmp_path / "bin").mkdir()
        (tmp_path / "lib" / "shared.py").write_text("x = 1\n")
        script = tmp_path / "bin" / "run.py"
        script.write_text(f"import os, sys\nsys.path.append({added})\nimport shared\n")
        assert self.names(script) == missing

    def test_what_is_tried_is_not_missing(self, tmp_path):
        script = tmp_path / "tries.py"
        script.write_text(
            "import tensorflow as tf\n"
            "try:\n    import no_package\n    tf.no_such\nexcept (ImportError, AttributeError):\n"
            "    tf.not_this_one\n"
            "if hasattr(tf, 'nor_this'):\n    tf.nor_this()\n"
        )
        assert self.names(script) == {"tf.not_this_one"}

    def test_modules_of_a_python_2_script_are_python_2(self, tmp_path):
        (tmp_path / "package").mkdir()
        (tmp_path / "package" / "__init__.py").write_text("import sibling\n")
        (tmp_path / "package" / "sibling.py").write_text("x = 7 / 2\n")
        script = tmp_path / "two.py"
        script.write_text("print 'two'\nimport package\n")
        usages = _all_usages(script)
        assert [found.is_python2 for found in usages] == [True] * 3


def test_what_runs_with_other_numbers_is_warned_of(tmp_path, capsys):
    script = tmp_path / "wraps.py"
    script.write_text(
        "import numpy as np\na = np.uint8(200)\nb = a + 100\nc = np.arange(3) + 300\n"
        "d = np.int64(1) + 1\n"
    )
    assert report(str(script)) == 0
    printed = capsys.readouterr().out
    assert "line 3: NumPy 1 chose a wider type" in printed
    assert "np.uint8 with 100 is np.uint8" in printed
    assert printed.count("wider type") == 1


def test_names_that_numpy_has_lost(tmp_path):
    script = tmp_path / "lost.py"
    script.write_text("import numpy as np\nnp.no_such(1)\nnp.float(1)\nnp.cast[int](2)\n")
    found = usage(script)
    assert set(found.names["nobody"]) == {"numpy.no_such"}
    assert set(found.names["vae_tf1.legacy"]) == {"numpy.float", "numpy.cast"}


def test_a_folder_as_a_table(tmp_path, capsys):
    (tmp_path / "fine.py").write_text("import tensorflow as tf\nprint(tf.Session)\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "two.py").write_text("import no_package\nprint no_package\n")
    (tmp_path / "deep" / "gone.py").write_text("import tensorflow as tf\ntf.no_such\ntf.nor_so\n")
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / ".hidden.py").write_text("def f(:\n")
    assert report(str(tmp_path)) == 1
    printed = capsys.readouterr().out
    rows = [re.split(r"  +", line) for line in printed.splitlines()[:5]]
    assert rows == [
        ["file", "Python", "names", "verdict"],
        ["broken.py", "-", "-", "cannot be read"],
        ["deep/gone.py", "3", "2", "2 names missing"],
        ["deep/two.py", "2", "1", "1 package not installed"],
        ["fine.py", "3", "1", "runs, as far as names tell"],
    ]
    assert re.search(r"deep/gone\.py:\n  nobody\n    tf\.no_such +line 2", printed)


def test_every_name_of_a_family_is_there():
    for family in families.of_tensorflow():
        for name in family.names():
            assert origin(families.tensorflow(), name)[1] in ("vae_tf1.legacy", ""), name
            walk(families.tensorflow(), name)
    for family in families.LIBRARIES:
        assert family.names()
