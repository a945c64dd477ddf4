"""docs/legacy-names.md says what is provided, and is up to date."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("legacy_names", DOCS / "legacy_names.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(writer):
    found = (DOCS / "legacy-names.md").read_text(encoding="utf-8")
    assert found == writer.page(), "to bring it up to date: python docs/legacy_names.py"


def test_a_module_that_is_genuine_code_is_complete(writer):
    rows = {row.split("`")[1]: row for row in writer.page().splitlines() if row.startswith("| `")}
    for module in ("tf.layers", "tf.nn.rnn_cell", "tf.losses", "tf.contrib.losses"):
        assert "| 100 % |" in rows[module]
