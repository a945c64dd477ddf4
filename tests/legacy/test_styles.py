"""Whole autoencoders in five styles of 2016 to 2018 train through the shim as they did then."""

import re

import pytest
from support.legacy_runs import SCRIPTS, run
from support.mnist_files import write_idx

# The lowest cost of the last six steps, under a genuine TensorFlow of the time named.
GENUINE = {
    "vae_of_2016": 168.1,  # 0.12.1
    "vae_with_stochastic_tensors": 168.1,  # the same model; such tensors went before 0.12
    "vae_in_slim": 146.3,  # the mean of 1.4.1 (151.0) and 1.15.5 (141.7)
    "vae_in_tf_layers": 159.5,  # the mean of 1.4.1 (155.5) and 1.15.5 (163.5)
    "vae_that_draws": 169.6,  # 0.12.1
}


@pytest.fixture(scope="module")
def costs(tmp_path_factory):
    """Train all five, one after the other in one process; return first and last cost of each."""
    folder = tmp_path_factory.mktemp("styles")
    write_idx(folder / "digits", n=340)
    done = run(SCRIPTS / "five_vaes.py", folder / "digits", *GENUINE, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert list(folder.glob("logs/events*"))
    found = re.findall(r"^(vae_\w+) (\S+) (\S+)$", done.stdout, re.MULTILINE)
    return {name: (float(first), float(last)) for name, first, last in found}


@pytest.mark.parametrize("name", GENUINE)
@pytest.mark.full
def test_it_learns_as_well_as_under_the_genuine_one(costs, name):
    first, last = costs[name]
    assert 450 < first < 850
    assert last == pytest.approx(GENUINE[name], rel=0.12)
