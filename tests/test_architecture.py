"""The drawing in docs/architecture.md as a test: imports run downwards, and nowhere in a circle."""

import ast
import importlib.util
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [  # bottom up; a name stands for a module, or for a folder and all in it
    ["backend", "errors", "checks", "model.support"],
    ["divergence", "mixture", "model.bernoulli", "model.bound", "data.binarization"],
    [
        *("model.layers", "model.initializers", "model.noise", "model.philox", "model.parts"),
        *("model.rmsprop", "model.optimizers", "model.learning_rates"),
    ],
    ["likelihoods", "priors", "flows"],
    ["model"],
    ["data", "cluster"],
    ["checkpoint"],
    ["training", "inference"],
    ["convert"],
    ["autoencoder"],
    ["app", "legacy", "convert.__main__", "outliers", "estimators"],
]
BESIDE = {"gaussian", "bijectors", "plots"}  # addresses of their own
FILES = [
    path
    for path in sorted(ROOT.glob("vae_tf1/**/*.py"))
    if path != ROOT / "vae_tf1" / "__init__.py"  # the face, which knows every public name
]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in FILES}


def imports(module: str) -> set[str]:
    """Return the modules of ours that a module imports, anywhere in its text."""
    found = set()
    package = module if MODULES[module].stem == "__init__" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names = {f"{source}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else source for name in names}
    return (found & set(MODULES)) - {module}


IMPORTS = {module: imports(module) for module in MODULES}


def floor(module: str) -> int | None:
    """Return the number of a module's floor, None beside the house."""
    name = module.removeprefix("vae_tf1.")
    while name:
        for number, names in enumerate(FLOORS):
            if name in names:
                return number
        name = name.rpartition(".")[0]
    return None


def test_every_module_has_a_floor():
    homeless = {
        module for module in MODULES if floor(module) is None and module.split(".")[1] not in BESIDE
    }
    assert homeless == set()


def test_imports_run_downwards():
    upwards = {
        f"{module} imports {imported}"
        for module, found in IMPORTS.items()
        for imported in found
        if None not in (floor(module), floor(imported)) and floor(imported) > floor(module)
    }
    assert upwards == set()


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter(IMPORTS).prepare()  # its CycleError names the circle


def test_nothing_inside_imports_the_old_address_of_the_loader():
    for path in [
        *FILES,
        *ROOT.glob("*.py"),
        *ROOT.glob("examples/*.py"),
        *ROOT.glob("benchmarks/**/*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "util"], path


@pytest.mark.parametrize("heavy", ["tensorflow_probability", "matplotlib", "tqdm", "tf_keras"])
def test_the_model_needs_nothing_but_tensorflow_and_numpy(heavy):
    for module in MODULES:
        if module.startswith("vae_tf1.model"):
            assert f"import {heavy}" not in MODULES[module].read_text(encoding="utf-8")
            assert f"from {heavy}" not in MODULES[module].read_text(encoding="utf-8")
