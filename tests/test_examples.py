"""Every example runs, on less data, and writes the figures and numbers that it promises."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from matplotlib.image import imread
from support.kinds import full_except

EXAMPLES = Path(__file__).parents[1] / "examples"
SMALL = ["--images", "1500", "--epochs", "2"]
RUNS = {  # example: options, figures, what it prints
    "kl_divergence": (
        [],
        {"kl_samples", "kl_running", "kl_squared_error", "kl_density"},
        r"closed form +2\.5925815  2\.5925815\n"
        r"tf\.distributions +2\.5925813  2\.5925813\n"
        r"Monte Carlo +2\.[56]\d{3} ± 0\.01\d\d",
    ),
    "gaussian_layer": (
        ["--samples", "20000"],
        {"gaussian_layer"},
        r"(?s)prior N\(0\.5, 2\) +\[2\.442907 0\. +1\.588644\].*"
        r"closed form +\[2\.442907 0\. +1\.588644\].*\(4, 2\)",
    ),
    "bijectors": (
        [],
        {
            f"bijector_{name}"
            for name in ("softfloor", "gumbel", "clouds", "cubic", "densities", "likelihood")
        },
        r"a = (?P<a>\S+), b = (?P<b>\S+); in the tutorial: a = 0\.577, b = -0\.429",
    ),
    "mixture_energy": (
        [*SMALL, "--components", "4"],
        {"mixture_energy", "mixture_samples"},
        r"inverted +(?P<inverted>[01]\.\d{3})",
    ),
    "validation": (
        SMALL,
        {"validation"},
        r"best epoch \d+: ELBO -\d+\.\d, \d+ active units\ntest images: ELBO (?P<elbo>-\d+\.\d)",
    ),
    "convert": (
        SMALL,
        {"convert_plane"},
        r"(?s)npz +0\.0e\+00  weights\.npz\n.*keras +(?P<keras>\S+)  decoder\.keras, "
        r"encoder\.keras, vae\.keras\n.*page +(?P<page>\S+)  page\.html\n"
        r"NumPy alone  (?P<numpy>\S+)",
    ),
    "latent_space": (
        SMALL,
        {"latent_elbo", "latent_scatter", "latent_plane"},
        r"ELBO (?P<elbo>-\d+\.\d) = reconstruction (?P<reconstruction>-\d+\.\d) - KL (?P<kl>\S+)",
    ),
    "likelihoods": (
        SMALL,
        {"likelihoods"},
        r"continuous Bernoulli +ELBO +(?P<grey>\S+) nats(?s:.*)8 classes +ELBO +-\d+\.\d nats",
    ),
    "outliers": (
        SMALL,
        {"outlier_scores", "outlier_images"},
        r"against the others: (?P<own>[01]\.\d{3})(?s:.*)columns permuted: (?P<rule>[01]\.\d{3})",
    ),
    "likelihood": (
        SMALL,
        {"likelihood"},
        r"k = 1: ELBO (?P<elbo_of_one>\S+), log p\(x\) (?P<log_p>\S+) nats; \d+\.\d of 500(?s:.*)"
        r"k = 5: ELBO -\d+\.\d\d, log p\(x\) (?P<log_p_of_five>\S+) nats",
    ),
    "priors": (SMALL, {"priors"}, r"VampPrior of 50 +ELBO +(?P<elbo>\S+) nats"),
    "networks": (
        ["--images", "300", "--epochs", "1"],
        {"networks"},
        r"convolutional +1 epochs, log p\(x\) = +-\d+\.\d\d nats\ndense +\d+ epochs, .* = +-\d",
    ),
    "conditional": (
        SMALL,
        {"conditional", "conditional_styles"},
        r"ELBO (?P<elbo>\S+) nats a test image, with the next digit's label -\d+",
    ),
    "flows": (SMALL, {"flows"}, r"flow of 2 +ELBO +(?P<elbo>\S+) nats"),
}
LIMITS = {
    "a": (0.557, 0.597),
    "b": (-0.449, -0.409),
    "inverted": (0.9, 1.0),
    "elbo": (-500, -50),
    "grey": (500, 2000),
    "own": (0.6, 1),
    "rule": (0.6, 1),
    "elbo_of_one": (-500, -50),
    "log_p": (-500, -50),
    "log_p_of_five": (-500, -50),
    "keras": (0, 1e-5),
    "numpy": (0, 1e-5),
    "page": (0, 1e-3),
}


@pytest.mark.parametrize("name", full_except(RUNS, "kl_divergence"))
def test_example(name, tmp_path, monkeypatch, capsys, few_digits):
    options, figures, printed = RUNS[name]
    monkeypatch.setenv("VAE_TF1_DATA", str(few_digits))
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--output", str(tmp_path / "new"), *options])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert {path.stem for path in (tmp_path / "new").glob("*.png")} == figures
    for path in (tmp_path / "new").glob("*.png"):
        pixels = imread(path)
        assert min(pixels.shape[:2]) > 200
        assert np.ptp(pixels[..., :3]) > 0.5
    output = capsys.readouterr().out
    match = re.search(printed, output)
    assert match, output
    for quantity, value in match.groupdict().items():
        low, high = LIMITS.get(quantity, (-np.inf, np.inf))
        assert low <= float(value) <= high
    assert tf.executing_eagerly()


def test_each_is_short():
    scripts = {path.stem: path.read_text().splitlines() for path in EXAMPLES.glob("*.py")}
    assert set(scripts) == set(RUNS)
    for name, lines in scripts.items():
        assert len(lines) < 60, name
