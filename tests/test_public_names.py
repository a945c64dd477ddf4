"""The face of the package: each public name is there, loads late, and shows itself to editors."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vae_tf1

ROOT = Path(__file__).parents[1]
FIXED = {  # what people's scripts import; only additions are allowed
    "BaseDistribution",
    "Cubic",
    "DenseLayer",
    "Gaussian",
    "VariationalAutoencoder",
    "fit_distribution",
    "fit_mixture",
    "gmm_energy",
    "gmm_params",
    "kl_divergence_gaussians",
    "log_density_ratio_gaussians",
    "monte_carlo_kl",
    "plots",
}
HEAVY = ["tensorflow_probability", "tf_keras", "matplotlib", "sklearn", "tqdm"]  # only when used
ATTRIBUTES = (
    "X Z_input epsilon encoder_layers decoder_layers means stddev Z X_hat_distribution "
    "posterior_predictive posterior_predictive_probs prior_predictive prior_predictive_probs "
    "prior_predictive_from_input_probs elbo train_op init_op sess graph costs seed "
    "fit transform reconstruct evaluate prior_predictive_with_input posterior_predictive_sample "
    "prior_predictive_sample_with_probs save restore load close "
)


def seen_by_editors() -> dict[str, str]:
    """Return the names that `vae_tf1/__init__.py` imports for type checkers, with their modules."""
    tree = ast.parse(Path(vae_tf1.__file__).read_text(encoding="utf-8"))
    (block,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.asname or alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_editors_see_every_public_name_where_it_is_loaded_from():
    homes = {name: f"vae_tf1.{home}" for name, home in vae_tf1._HOME_OF.items()}
    homes |= dict.fromkeys(vae_tf1._MODULES, "vae_tf1")
    assert seen_by_editors() == homes
    assert set(vae_tf1.__all__) == set(homes)
    assert vae_tf1.__all__ == sorted(vae_tf1.__all__)


def test_no_public_name_is_lost():
    assert set(vae_tf1.__all__) >= FIXED | {"CheckpointError", "DataError", "DataWarning"}


@pytest.mark.parametrize("name", vae_tf1.__all__)
def test_each_name_loads_and_has_a_docstring(name):
    value = getattr(vae_tf1, name)
    assert value.__doc__
    assert value is getattr(vae_tf1, name)
    assert name in dir(vae_tf1)


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'vae_tf1' has no attribute 'VariationalAuto'"):
        vae_tf1.VariationalAuto  # noqa: B018


def test_a_model_has_every_attribute_of_the_original():
    with vae_tf1.VariationalAutoencoder(6, [4, 2], seed=0) as vae:
        assert [name for name in ATTRIBUTES.split() if not hasattr(vae, name)] == []


def test_the_loader_keeps_its_address():
    import util
    from vae_tf1.data import mnist

    assert util.get_mnist is mnist.get_mnist
    assert set(util.__all__) == set(mnist.__all__)


@pytest.mark.full
def test_a_model_trains_and_saves_where_the_optional_parts_cannot_be_imported(tmp_path):
    """Loading the class adds nothing of others' to TensorFlow; its users wait for nothing else."""
    script = f"""
import sys

for heavy in {HEAVY}:
    sys.modules[heavy] = None  # an import of it raises
import numpy, tensorflow

before = set(sys.modules)
from vae_tf1 import VariationalAutoencoder

loaded = {{module.partition(".")[0] for module in set(sys.modules) - before}}
with VariationalAutoencoder(6, [4, 2], seed=0) as vae:
    X = numpy.eye(6)
    vae.fit(X, epochs=2, batch_sz=3, progress=False, plot=False, checkpoint_dir="run")
    vae.evaluate(X), vae.transform(X), vae.prior_predictive_sample_with_probs()
    vae.save("saved")
VariationalAutoencoder.load("saved").close()
print(*loaded)
"""
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(loaded) <= {"vae_tf1", *sys.stdlib_module_names}


def test_importing_the_package_loads_nothing_else():
    script = (
        "import sys; before = set(sys.modules); import vae_tf1; "
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(loaded) <= {"vae_tf1", *sys.stdlib_module_names}
