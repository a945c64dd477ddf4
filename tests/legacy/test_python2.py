"""Python 2, translated in memory, does what Python 2 does.

`golden/python2_language.txt` is what Python 2.7.18 printed of `scripts/python2_language.py`.
"""

import ast
import sys
import textwrap
import traceback

import numpy as np
import pytest
from support.legacy_runs import SCRIPTS, run

from vae_tf1.legacy import tensorflow1
from vae_tf1.legacy.machinery.hooks import LegacyImports, Territory
from vae_tf1.legacy.machinery.source import parse
from vae_tf1.legacy.python2.runtime import divide, inplace_divide

pytest.importorskip("fissix", reason="fissix is an optional extra")


def execute(source, path="old.py", **space):
    tree, is_python2 = parse(textwrap.dedent(source).encode(), path)
    assert is_python2
    space = {"__name__": "old", **space}
    exec(compile(tree, path, "exec"), space)
    return space


def test_the_language(golden_dir):
    done = run(SCRIPTS / "python2_language.py")
    assert done.returncode == 0, done.stderr
    expected = (golden_dir / "python2_language.txt").read_text()
    # Python 2 left out the blank between a trailing comma and the end of the line.
    assert [line.rstrip() for line in done.stdout.splitlines()] == expected.splitlines()


def test_true_division_where_the_module_asks_for_it():
    space = execute("from __future__ import division\nprint 'x',\nn = 7 / 2\nn /= 2\n")
    assert space["n"] == 1.75


class TestDivision:
    """NumPy and TensorFlow took part in Python 2's division; every integer was rounded down."""

    def test_integer_arrays(self):
        halves = divide(np.array([7, -7]), 2)
        np.testing.assert_array_equal(halves, [3, -4])
        assert halves.dtype.kind == "i"
        assert divide(np.int64(7), 2) == 3
        np.testing.assert_array_equal(divide(np.array([7]), 2.0), [3.5])
        np.testing.assert_array_equal(divide(np.float32([7]), 2), [3.5])
        assert divide(np.array([1 + 1j]), 2)[0] == 0.5 + 0.5j

    def test_in_place(self):
        array = np.array([7, 8])
        same = array
        array = inplace_divide(array, 2)
        assert array is same
        np.testing.assert_array_equal(same, [3, 4])
        floats = np.array([7.0])
        assert inplace_divide(floats, 2) is floats
        assert floats[0] == 3.5

    def test_tensors(self):
        with tensorflow1() as tf, tf.Session() as session:
            whole, real = tf.constant([7, -7]), tf.constant([7.0])
            results = session.run(
                [divide(whole, 2), divide(15, whole), divide(real, 2), inplace_divide(whole, 2)]
            )
        np.testing.assert_array_equal(results[0], [3, -4])
        np.testing.assert_array_equal(results[1], [2, -3])
        np.testing.assert_array_equal(results[2], [3.5])
        np.testing.assert_array_equal(results[3], [3, -4])


class TestWhichModulesAreTranslated:
    @pytest.mark.parametrize(
        "source",
        [
            "print 'x'",
            "for i in xrange(3): pass",
            "import cPickle",
            "from StringIO import StringIO",
            "name = raw_input()",
            "def f():\n    return unicode(1)",
        ],
    )
    def test_python_2(self, source):
        assert parse(source.encode(), "old.py")[1]

    @pytest.mark.parametrize(
        "source",
        [
            "print('x', 7 / 2)",
            "try:\n    xrange\nexcept NameError:\n    xrange = range\nxrange(3)",
            "try:\n    import cPickle as pickle\nexcept ImportError:\n    import pickle",
            "from six.moves import xrange\nxrange(3)",
            "import sys\nif sys.version_info[0] == 2:\n    text = unicode('x')",
            "def f(unicode):\n    return unicode",
            "class unicode: pass\nunicode()",
        ],
    )
    def test_python_3(self, source):
        assert not parse(source.encode(), "new.py")[1]

    def test_neither(self):
        with pytest.raises(SyntaxError) as caught:
            parse(b"x = 1\ndef f(:\n", "broken.py")
        assert (caught.value.filename, caught.value.lineno) == ("broken.py", 2)


class TestAModuleThatParsesAsBoth:
    """Nothing in it tells which Python it was written for; only its user knows."""

    def test_the_user_says_so(self, tmp_path):
        (tmp_path / "script.py").write_text("import sibling\nprint('here', 7 / 2, sibling.HALF)\n")
        (tmp_path / "sibling.py").write_text("HALF = [1, 2, 3][3 / 2]\n")
        old = run("--python2", "script.py", cwd=tmp_path)
        assert (old.returncode, old.stdout, old.stderr) == (0, "('here', 3, 2)\n", "")
        new = run("script.py", cwd=tmp_path)
        assert new.returncode == 1
        *_, error, hint = new.stderr.splitlines()
        assert error == "TypeError: list indices must be integers or slices, not float"
        assert "--python2" in hint

    def test_in_a_block(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(tmp_path)
        (tmp_path / "divides.py").write_text("HALF = 7 / 2\n")
        with tensorflow1(python2=True):
            import divides
        assert divides.HALF == 3
        del sys.modules["divides"]

    def test_what_is_python_3_alone_stays_so(self, tmp_path):
        (tmp_path / "script.py").write_text("print(f'{7 / 2}', end='!')\n")
        assert run("--python2", "script.py", cwd=tmp_path).stdout == "3.5!"


class TestTracebacks:
    def test_lines_are_those_of_the_file(self):
        source = """
            import cPickle, urllib2
            from urllib2 import urlopen, URLError

            class Old(object):
                __metaclass__ = type

            def unpacking((a, b), c):
                def reducing(values):
                    return reduce(lambda x, y: x + y, values)
                print reducing([a, b, c])
                return a / (b - c)

            print "before"; unpacking((1, 2), 2)
        """
        with pytest.raises(ZeroDivisionError) as caught:
            execute(source)
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(caught.value.__traceback__)
            if frame.filename == "old.py"
        ]
        assert lines == [14, 12]

    def test_in_a_module_of_the_script(self, tmp_path):
        (tmp_path / "script.py").write_text("import sibling\n\nsibling.outer()\n")
        (tmp_path / "sibling.py").write_text(
            "import cPickle\n\n\ndef outer():\n    print 'going'\n    return 1 / 0 # here\n"
        )
        done = run("script.py", cwd=tmp_path)
        assert done.returncode == 1
        assert done.stdout == "going\n"
        assert done.stderr.splitlines() == [
            "Traceback (most recent call last):",
            f'  File "{tmp_path}/script.py", line 3, in <module>',
            "    sibling.outer()",
            *(["    ~~~~~~~~~~~~~^^"] if sys.version_info >= (3, 13) else []),
            f'  File "{tmp_path}/sibling.py", line 6, in outer',
            "    return 1 / 0 # here",
            "ZeroDivisionError: " + _division_by_zero(),
        ]


def _division_by_zero():
    try:
        return 1 // 0
    except ZeroDivisionError as error:
        return str(error)


class TestImports:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(tmp_path)
        before = {*sys.modules}
        yield tmp_path
        for name in {*sys.modules} - before:
            del sys.modules[name]

    def test_a_package_of_python_2_imports_its_siblings_by_bare_name(self, folder):
        package = folder / "old_package"
        package.mkdir()
        (package / "__init__.py").write_text("from part import VALUE\nprint VALUE,\n")
        (package / "part.py").write_text("import other\nVALUE = other.VALUE / 2\nprint 'x'\n")
        (package / "other.py").write_text("VALUE = 5\n")
        with LegacyImports(Territory(), lambda: None):
            import old_package
        assert old_package.VALUE == 2

    def test_pickles_of_python_2(self, folder):
        # What Python 2's cPickle.dumps makes of numpy.array([1, 2], dtype='int8') and 'caf\xe9'
        (folder / "data.pkl").write_bytes(
            b"(cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\nt"
            b"cnumpy\ndtype\n(S'i1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x01\\x02'\n"
            b"tbS'caf\\xe9'\nt."
        )
        (folder / "loads.py").write_text(
            "import cPickle\nprint 'loading'\n"
            f"array, text = cPickle.load(open({str(folder / 'data.pkl')!r}))\n"
            f"cPickle.dump([1], open({str(folder / 'made.pkl')!r}, 'w'))\n"
        )
        with LegacyImports(Territory(), lambda: None):
            import loads
        np.testing.assert_array_equal(loads.array, [1, 2])
        assert loads.text == "caf\xe9"
        import pickle

        assert pickle.loads((folder / "made.pkl").read_bytes()) == [1]

    def test_no_bytecode_of_a_translation_is_left(self, folder):
        (folder / "translated.py").write_text("print 'x',\n")
        with LegacyImports(Territory(), lambda: None):
            import translated  # noqa: F401
        assert not (folder / "__pycache__").exists()


def test_tabs_are_eight_columns_except_within_strings():
    source = 'if 1:\n        a = """\n\tx"""\n\tprint a\n'
    assert execute(source)["a"] == "\n\tx"


def test_windows_line_ends_and_a_byte_order_mark():
    tree, _ = parse(b"\xef\xbb\xbfx = 1\r\nprint x\r\n", "old.py")
    assert isinstance(tree, ast.Module)


def test_an_encoding_of_the_file():
    tree, _ = parse("# coding: latin-1\ns = u'\xe9'\nprint s\n".encode("latin-1"), "old.py")
    assert any(isinstance(n, ast.Constant) and n.value == "\xe9" for n in ast.walk(tree))


def test_without_fissix(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['fissix'] = None\n")
    (tmp_path / "script.py").write_text("print 'x'\n")
    done = run("script.py", cwd=tmp_path, PYTHONPATH=f"{tmp_path}:{SCRIPTS.parents[2]}")
    assert done.returncode == 1
    assert "pip install 'vae_tf1[legacy]'" in done.stderr.splitlines()[-1]
