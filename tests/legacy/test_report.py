"""`--report` says who provides a script's names; it runs nothing."""

import re
import textwrap

import pytest

from vae_tf1.legacy import families
from vae_tf1.legacy.__main__ import main
from vae_tf1.legacy.machinery.overlay import origin, walk
from vae_tf1.legacy.report import report, usage

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


def test_every_name_of_a_family_is_there():
    for family in families.of_tensorflow():
        for name in family.names():
            assert origin(families.tensorflow(), name)[1] in ("vae_tf1.legacy", ""), name
            walk(families.tensorflow(), name)
    for family in families.LIBRARIES:
        assert family.names()
