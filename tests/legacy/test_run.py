"""Old scripts run end to end, as ``python script.py`` would run them under TensorFlow 1."""

import os
import re
import signal
import subprocess
import sys
import textwrap

import pytest
from support.legacy_runs import SCRIPTS, command, environment, run, run_command
from support.mnist_files import write_idx


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A folder with a few of the built-in digits in MNIST's own format."""
    folder = tmp_path_factory.mktemp("digits")
    write_idx(folder, n=340)
    return folder


class TestLikePython:
    """Without TensorFlow in play there is no telling the two commands apart."""

    def both(self, folder, source, *arguments, stdin="", name="script.py"):
        """Run a script both ways in its folder's parent; return what each printed and returned."""
        (folder / "inner").mkdir(exist_ok=True)
        (folder / "inner" / name).write_text(textwrap.dedent(source))
        path = os.path.join("inner", name)
        return [
            (done.returncode, done.stdout, done.stderr)
            for argv in ([sys.executable, path, *arguments], command(path, *arguments))
            for done in [run_command(argv, stdin=stdin, cwd=folder)]
        ]

    def test_what_a_script_sees_of_itself(self, tmp_path):
        (tmp_path / "inner").mkdir()
        (tmp_path / "inner" / "sibling.py").write_text("import __main__\nseen = __main__.early\n")
        plain, legacy = self.both(
            tmp_path,
            """
            import pickle, sys
            early = 1
            import sibling
            class Kept: pass
            def work(n): return n * 2
            print(sys.argv, sys.path[0], __name__, __file__, __package__, __spec__, __doc__)
            print(sorted(n for n in globals() if n != '__cached__' and n != '__loader__'))
            print(sys.modules['__main__'].__dict__ is globals(), sibling.seen)
            print(type(pickle.loads(pickle.dumps(Kept()))) is Kept, __builtins__)
            import multiprocessing
            if __name__ == '__main__':
                with multiprocessing.get_context('fork').Pool(1) as pool:
                    print(pool.map(work, [1, 2]))
            print(input('name? '), sys.stdin.read())
            """,
            "--report", "-m", "--", "x y", "--help",
            stdin="Ada\nand more\n",
        )  # fmt: skip
        assert legacy == plain
        assert "--report" in plain[1]
        assert "Ada and more" in plain[1]

    @pytest.mark.parametrize(
        "source",
        [
            "import sys; sys.exit(3)",
            "import sys; sys.exit('a message')",
            "raise SystemExit",
            "import os; os._exit(7)",
            "def f(x):\n    return 1 / x\n\nprint('so far')\nf(0)",
            "try:\n    {}['a']\nexcept KeyError:\n    raise ValueError('two\\nlines')",
            "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError from e",
            "print('fine')\nif True print 3 3",
            "import nothing_of_this_name",
            "from math import nothing_of_this_name",
            "x: int = 1\nx.foo",
            "import atexit\natexit.register(lambda: print('bye', __name__))\n1/0",
            "import sys\nsys.excepthook = lambda k, e, t: print(k, t.tb_frame.f_lineno)\n1/0",
            "raise KeyboardInterrupt",
            "import signal, os\nos.kill(os.getpid(), signal.SIGINT)\nimport time; time.sleep(9)",
        ],
    )
    def test_how_it_ends(self, tmp_path, source):
        plain, legacy = self.both(tmp_path, source)
        assert legacy == plain
        assert plain[0] != 0 or "fine" in source or source == "raise SystemExit"

    def test_a_failing_module_of_the_script(self, tmp_path):
        (tmp_path / "inner").mkdir()
        (tmp_path / "inner" / "sibling.py").write_text("def f():\n    1 / 0\n\n\nf()\n")
        plain, legacy = self.both(tmp_path, "import sibling\n")
        assert legacy == plain
        assert "sibling.py" in plain[2]

    def test_a_script_that_is_not_there(self, tmp_path):
        for path in ("nowhere.py", "."):
            plain = run_command([sys.executable, path], cwd=tmp_path)
            legacy = run(path, cwd=tmp_path)
            assert legacy.returncode != 0
            assert "Traceback" not in legacy.stderr
            if path == "nowhere.py":
                assert (legacy.returncode, legacy.stderr) == (plain.returncode, plain.stderr)

    def test_as_a_module(self, tmp_path):
        package = tmp_path / "package"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "__main__.py").write_text(
            "import sys\nfrom . import other\nprint(sys.argv, __package__, other.__name__)\n1/0\n"
        )
        (package / "other.py").write_text("")
        plain = run_command([sys.executable, "-m", "package", "--an", "x"], cwd=tmp_path)
        legacy = run("-m", "package", "--an", "x", cwd=tmp_path)
        assert (legacy.returncode, legacy.stdout) == (plain.returncode, plain.stdout)
        assert legacy.stderr.splitlines()[-3:] == plain.stderr.splitlines()[-3:]

    @pytest.mark.parametrize("name", ["no_such_module", "no_such.module"])
    def test_a_module_that_is_not_there(self, tmp_path, name):
        plain = run_command([sys.executable, "-m", name], cwd=tmp_path)
        legacy = run("-m", name, cwd=tmp_path)
        assert (legacy.returncode, legacy.stderr) == (plain.returncode, plain.stderr)

    def test_a_package_that_fails(self, tmp_path):
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "__init__.py").write_text("import no_such_module\n")
        done = run("-m", "broken", cwd=tmp_path)
        assert done.returncode == 1
        first, file, line, *_, error = done.stderr.splitlines()
        assert first == "Traceback (most recent call last):"
        assert file == f'  File "{tmp_path}/broken/__init__.py", line 1, in <module>'
        assert line == "    import no_such_module"
        assert error == "ModuleNotFoundError: No module named 'no_such_module'"

    def test_a_package_in_python_2(self, tmp_path):
        (tmp_path / "old").mkdir()
        (tmp_path / "old" / "__init__.py").write_text("print 'package', 7 / 2\n")
        (tmp_path / "old" / "__main__.py").write_text("import part\nprint part.NAME\n")
        (tmp_path / "old" / "part.py").write_text("print 'part',\nNAME = __name__\n")
        done = run("-m", "old", cwd=tmp_path)
        assert (done.stdout, done.stderr) == ("package 3\npart old.part\n", "")

    def test_nothing_is_written_beside_the_script(self, tmp_path):
        (tmp_path / "sibling.py").write_text("print 'two'\n")
        (tmp_path / "script.py").write_text("import sibling\n")
        assert run("script.py", cwd=tmp_path).stdout == "two\n"
        assert {path.name for path in tmp_path.iterdir()} == {"sibling.py", "script.py"}


class TestCommandLine:
    def test_help_and_version(self):
        assert "script.py" in run("--help").stdout or "script" in run("--help").stdout
        assert re.fullmatch(r"vae_tf1 \d+\.\d+\.\d+\n", run("--version").stdout)

    def test_no_script(self):
        done = run()
        assert done.returncode == 2
        assert "a script is wanted" in done.stderr or "script" in done.stderr


class TestScripts:
    @pytest.mark.full
    def test_the_courses_vae_with_its_stochastic_tensor_from_a_pipe(self, digits, tmp_path):
        done = run(
            SCRIPTS / "course_vae.py", stdin="\nno\nn\n", cwd=tmp_path, VAE_TF1_DATA=str(digits)
        )
        assert done.returncode == 0, done.stderr
        assert "stochastic tensor: True" in done.stdout
        check_course(done.stdout)
        # nothing of TensorFlow's own on the screen, only which data it is
        assert done.stderr.splitlines() == [
            line for line in done.stderr.splitlines() if "data:" in line
        ]

    @pytest.mark.full
    def test_the_courses_vae_reparameterised_at_a_terminal(self, digits, tmp_path):
        pexpect = pytest.importorskip("pexpect")
        argv = command(SCRIPTS / "course_vae.py", "reparameterised")
        child = pexpect.spawn(
            argv[0], argv[1:], cwd=str(tmp_path), timeout=120, encoding="utf-8",
            env=environment(VAE_TF1_DATA=str(digits)),
        )  # fmt: skip
        seen = ""
        for answer in ("", "no", "n"):
            child.expect_exact("Another one?")
            seen += child.before
            child.sendline(answer)
        child.expect(pexpect.EOF)
        seen += child.before
        child.close()
        assert child.exitstatus == 0, seen
        assert "stochastic tensor: False" in seen
        check_course(seen)

    @pytest.mark.full
    def test_a_notebooks_cells(self, tmp_path):
        done = run(SCRIPTS / "gaussians_kl.py", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        value = dict(re.findall(r"^(.+) ([\d.]+)$", done.stdout, flags=re.MULTILINE))
        # the notebook of 2017 printed these
        assert value["closed form"] == "2.5925815"
        assert float(value["tensorflow"]) == pytest.approx(2.5925813, abs=3e-7)
        assert float(value["monte carlo"]) == pytest.approx(2.5925815, abs=0.1)

    @pytest.mark.full
    def test_standalone_keras(self, digits, tmp_path):
        pytest.importorskip("tf_keras")
        done = run(SCRIPTS / "keras_vae.py", cwd=tmp_path, VAE_TF1_DATA=str(digits))
        assert done.returncode == 0, done.stderr
        version, same, data, loss, latent = done.stdout.splitlines()
        assert version == "TensorFlow version: 1.15.5"
        assert same == "True True True"
        assert data == "(340, 28, 28) uint8 (340, 10)"
        first, last = map(float, re.findall(r"[\d.]+", loss))
        assert last < first - 100
        assert latent == "(340, 2) Session"
        assert len(done.stderr.splitlines()) == 1, done.stderr  # which data it is

    @pytest.mark.full
    def test_python_2(self, digits, tmp_path):
        (tmp_path / "digits").symlink_to(digits, target_is_directory=True)
        done = run(SCRIPTS / "python2_vae.py", "--batch", "40", stdin="Ada\n", cwd=tmp_path)
        assert done.stdout.splitlines() == [
            "halving 7",
            "beside batches 8 3 2",
            "falls True epochs 2",
            "a 1 ",
            "your name? hello Ada False",
            "caught as of old",
        ]
        assert done.returncode == 1
        assert "340 training images" in done.stderr


def check_course(printed):
    first, last = map(float, re.search(r"first (\S+) last (\S+)", printed).groups())
    assert last > first + 100
    assert "kl agrees: True gradient reaches the encoder: True" in printed
    assert printed.rstrip().endswith("finished Dreamt")


TENSORFLOW_SCRIPT = """
import sys
import tensorflow as tf
slow = 'tf_slim', 'tensorflow_probability', 'tf_keras', 'fissix'
added = [name for name in slow if name in sys.modules]
tf.contrib.distributions.Normal, tf.contrib.slim.fully_connected, tf.layers.dense
tf.contrib.bayesflow.stochastic_tensor.StochasticTensor
import numpy, scipy.misc

import tensorflow
import tensorflow.contrib.slim as slim
import tensorflow.contrib.layers
from tensorflow.contrib import layers, slim as again
from tensorflow.examples.tutorials.mnist import input_data
from tensorflow.python.framework import ops
import tensorflow.python.ops.math_ops as math_ops
import importlib
print(tensorflow is tf, tensorflow.contrib.layers is layers, slim is again,
      importlib.import_module('tensorflow.contrib.slim') is slim,
      __import__('tensorflow') is tf, ops.Graph is tf.Graph, hasattr(math_ops, 'matmul'))
space = {}
exec('from tensorflow.contrib.slim import *', space)
print(space['fully_connected'] is slim.fully_connected)

# Those who are at home in TensorFlow 2 get just that.
todays = sys.modules['keras'].src.backend.tensorflow
print(todays.core.tf is not tf, sys.modules['tensorflow'] is not tf,
      hasattr(sys.modules['tensorflow'], 'contrib'))

print(tf.executing_eagerly(), tf.__version__, tf.Variable(1.).op.type)
flags = tf.app.flags
flags.DEFINE_integer('steps', 3, 'how many')
flags.DEFINE_string('log_dir', 'logs', 'a name that absl has taken since')
def missing(get):
    try:
        get()
    except Exception as error:
        print('%s: %s' % (type(error).__name__, error))
missing(lambda: tf.placeholdr)
missing(lambda: tf.contrib.log_loss)
def wrong_import():
    from tensorflow.contrib import slimm
missing(wrong_import)
def wrong_module():
    import tensorflow.contrib.nothing_like_it
missing(wrong_module)
print(hasattr(tf, 'placeholdr'), getattr(tf, 'no', 5))
def main(argv):
    print(argv, flags.FLAGS.steps, tf.flags.FLAGS.log_dir)
    print(added)
    tf.contrib.slim.fully_conected
if __name__ == '__main__':
    tf.app.run()
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("script")
    (folder / "script.py").write_text(TENSORFLOW_SCRIPT)
    return run("script.py", "--steps", "5", "rest", cwd=folder)


@pytest.fixture(scope="module")
def lines(done):
    assert done.returncode == 1, done.stderr
    return done.stdout.splitlines()


class TestTensorFlow:
    """What the runner does about TensorFlow itself, seen in one process."""

    def test_every_way_to_import_leads_to_the_same_modules(self, lines):
        assert lines[0] == " ".join(["True"] * 7)
        assert lines[1] == "True"

    def test_installed_libraries_get_the_installed_tensorflow(self, lines):
        assert lines[2] == "True True False"

    def test_v2_behaviour_is_off(self, lines):
        assert lines[3] == "False 1.15.5 VariableV2"

    def test_a_missing_name_says_so_in_one_line_with_the_nearest(self, lines):
        slip, moved, name, module = lines[4:8]
        assert slip.startswith("AttributeError: module 'tensorflow' has no attribute 'placeholdr'")
        assert slip.endswith("nearest name is tensorflow.placeholder")
        assert moved.startswith("AttributeError: module 'tensorflow.contrib' has no attribute")
        assert moved.endswith("nearest name is tensorflow.losses.log_loss")
        assert name.startswith("ImportError: cannot import name 'slimm' from 'tensorflow.contrib'")
        assert name.endswith("nearest name is tensorflow.contrib.slim")
        assert module.startswith("ModuleNotFoundError: No module named 'tensorflow.contrib.nothing")
        assert lines[8] == "False 5"

    def test_flags_and_app_run(self, lines):
        assert lines[9] == "['script.py', 'rest'] 5 logs"

    def test_start_up_loads_none_of_the_packages_that_take_long(self, lines):
        assert lines[10] == "[]"

    def test_the_traceback_has_no_frame_of_the_runner(self, done):
        assert "vae_tf1" not in re.sub("vae_tf1.legacy provides", "", done.stderr)
        assert re.search(
            r'script\.py", line \d+, in main\n +tf.contrib.slim.fully_conected', done.stderr
        )
        assert done.stderr.rstrip().endswith("tensorflow.contrib.slim.fully_connected")


def test_a_util_folder_of_the_scripts_own_stands_beside_the_mnist_loaders(tmp_path):
    (tmp_path / "util").mkdir()  # without an __init__.py
    (tmp_path / "util" / "own.py").write_text("import collections\nx = collections.Iterable\n")
    (tmp_path / "script.py").write_text(
        "from util.own import x\nfrom util import get_mnist\nimport missing_package, tensorflow\n"
    )
    done = run("script.py", cwd=tmp_path)
    lines = done.stderr.splitlines()
    assert lines[-2] == "ModuleNotFoundError: No module named 'missing_package'"
    assert lines[-1] == "(A package is missing, not a name of TensorFlow's: missing_package)"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_control_c_at_a_prompt(tmp_path):
    (tmp_path / "script.py").write_text("print('ready', flush=True)\ninput()\n")
    with subprocess.Popen(
        command("script.py"), cwd=tmp_path, env=environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=30)
    assert child.returncode == -signal.SIGINT
    assert errors.splitlines()[0] == "Traceback (most recent call last):"
    assert "vae_tf1" not in errors
