"""``with tensorflow1():`` gives old modules TensorFlow 1 and puts everything back."""

import builtins
import gc
import importlib
import sys

import numpy as np
import pytest
import tensorflow as modern
from tensorflow.python.util import deprecation

from vae_tf1.legacy import tensorflow1
from vae_tf1.legacy.machinery.hooks import Territory


def state():
    """What of the process an old script's world could change."""
    v1 = modern.compat.v1
    return {
        "import": (builtins.__import__, importlib.import_module, [*sys.meta_path]),
        "modules": {n: m for n, m in sys.modules.items() if n.partition(".")[0] == "tensorflow"},
        "eager": modern.executing_eagerly(),
        "v2": modern.__internal__.tf2.enabled(),
        "resource": v1.resource_variables_enabled(),
        "control flow": v1.control_flow_v2_enabled(),
        "shape": type(modern.TensorShape([1])[0]),
        "equality": modern.Tensor._USE_EQUALITY,
        "notices": deprecation._PRINT_DEPRECATION_WARNINGS,
        "session": v1.get_default_session(),
        "numpy": {name: getattr(np, name) for name in ("vstack", "bool")},
    }


def check_unchanged(before):
    after = state()
    added = set(after.pop("modules").items() - before["modules"].items())
    assert all(name.startswith("tensorflow.") for name, _ in added)  # loaded late, and real
    assert not any(name.startswith("tensorflow.contrib") for name, _ in added)
    assert after == {key: value for key, value in before.items() if key != "modules"}
    assert sys.modules["tensorflow"] is modern


def test_everything_is_as_before():
    before = state()
    with tensorflow1() as tf:
        import tensorflow

        assert tensorflow is tf
        assert tensorflow is not modern
        assert not tf.executing_eagerly()
        assert isinstance(tf.placeholder(tf.float32, [3]).shape[0], tf.Dimension)
        session = tf.InteractiveSession()
        assert tf.get_default_session() is session
        assert session.run(tf.constant(2.0) * 3) == 6
    check_unchanged(before)
    del session
    gc.collect()
    check_unchanged(before)
    assert float(modern.constant(2.0) + 1) == 3


def test_also_after_an_error():
    before = state()
    with pytest.raises(ZeroDivisionError), tensorflow1():
        1 / 0  # noqa: B018
    check_unchanged(before)


def test_within_one_another_and_once_more():
    before = state()
    with tensorflow1() as outer:
        x = outer.placeholder(outer.float32)
        with tensorflow1() as inner:
            assert inner is outer
            assert inner.get_default_graph() is not x.graph
        assert outer.get_default_graph() is x.graph
        assert not outer.executing_eagerly()
    with tensorflow1() as again:
        assert again.get_default_graph() is not x.graph
    check_unchanged(before)


def test_within_a_graph_of_the_callers():
    with modern.Graph().as_default() as graph:
        with tensorflow1() as tf:
            assert tf.get_default_graph() is not graph
        assert modern.compat.v1.get_default_graph() is graph
        assert not modern.executing_eagerly()
    assert modern.executing_eagerly()


def test_an_old_module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "old_module.py").write_text(
        "import numpy as np\n"
        "import tensorflow as tf\n"
        "from tensorflow.contrib import slim\n"
        "def build():\n"
        "    import tensorflow\n"
        "    assert tensorflow is tf\n"
        "    x = tf.placeholder(tf.float32, [None, 3], name='x')\n"
        "    return x, slim.fully_connected(x, 2, scope='layer')\n"
        "ZEROS = np.zeros(2, dtype=np.float)\n"
    )
    with tensorflow1() as tf:
        import old_module

        x, y = old_module.build()
        names = [variable.op.name for variable in tf.global_variables()]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run(y, {x: old_module.np.ones((4, 3))}).shape == (4, 2)
    assert names == ["layer/weights", "layer/biases"]
    assert sys.modules.pop("old_module") is old_module
    assert old_module.tf is tf


def test_the_installed_tensorflow_is_not_modified():
    before = {n: {*vars(m)} for n, m in (("v2", modern), ("v1", modern.compat.v1))}
    with tensorflow1() as tf:
        tf.of_the_scripts_own = 1
        tf.nn.relu = None
        assert tf.contrib.slim is not None
    assert {*vars(modern)} == before["v2"]
    assert {*vars(modern.compat.v1)} == before["v1"]
    assert modern.compat.v1.nn.relu is not None
    del tf.of_the_scripts_own, tf.nn.relu
    assert tf.nn.relu is modern.compat.v1.nn.relu


def test_libraries_of_today_keep_their_tensorflow():
    from keras.src.utils.module_utils import tensorflow as imports_when_used

    with tensorflow1() as tf:
        assert imports_when_used.constant is modern.constant
        assert tf.keras.layers.Dense is not None


class TestTerritory:
    def test_installed_modules_are_new(self):
        assert not Territory().holds({"__name__": "numpy", "__file__": np.__file__})
        assert not Territory().holds({"__name__": "gc", "__file__": importlib.__file__})
        assert not Territory().holds({"__name__": "vae_tf1.legacy.x", "__file__": __file__})
        assert not Territory().holds({"__name__": "keras.x", "__file__": "/home/me/keras/x.py"})

    def test_the_rest_is_old(self, tmp_path):
        assert Territory().holds({"__name__": "__main__"})
        assert Territory().holds({"__name__": "mine", "__file__": str(tmp_path / "mine.py")})
        assert Territory().holds({"__name__": "anything"})

    def test_an_installed_package_may_be_old_on_request(self):
        module = {"__name__": "numpy.linalg", "__file__": np.__file__}
        assert Territory(("numpy",)).holds(module)
        with tensorflow1(packages="numpy"):
            pass

    @pytest.mark.parametrize("packages", [[1], [None, "a"]])
    def test_what_is_refused(self, packages):
        with pytest.raises(TypeError, match="names of packages"), tensorflow1(packages=packages):
            pass
