"""Packaging of vae_tf1; the build system, ruff and pytest are configured in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
CODE = (HERE / "vae_tf1" / "__init__.py").read_text(encoding="utf-8")

setup(
    name="vae_tf1",
    version=re.search(r'__version__ = "(.+)"', CODE).group(1),
    description="The 2017 TensorFlow-1 variational autoencoder on today's TensorFlow",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["vae_tf1", "vae_tf1.*", "util", "util.*"]),
    py_modules=["run_mnist"],
    install_requires=[
        "tensorflow>=2.18",
        "tf-keras",  # TensorFlow Probability's layers of Keras 2
        "tensorflow-probability>=0.25",
        "numpy>=1.26",
        "matplotlib>=3.8",
        "tqdm>=4.60",
    ],
    extras_require={
        "legacy": ["pillow", "fissix", "tf-slim>=1.1"],
        "benchmark": ["torch", "jax"],
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.5",
            "hypothesis>=6.100",
            "scipy>=1.11",
            "pexpect",
            "pillow",
            "fissix",
            "tf-slim>=1.1",
            "imageio",
        ],
    },
)
