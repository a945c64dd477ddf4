# make check, make test, …: see CONTRIBUTING.md.
PYTHON ?= $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)
PYTEST = $(PYTHON) -m pytest -n 2 --dist loadfile

.PHONY: check test fast full docs bench
.DEFAULT_GOAL := check

check: # linters, types, floors
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest tests/test_architecture.py

test: # the README's tests
	$(PYTEST) -m "not full"

fast: # what needs no other process and no training
	$(PYTEST) -m "not full" tests/test_architecture.py tests/test_public_names.py tests/test_divergence.py \
	  tests/test_gaussian.py tests/test_mixture.py tests/test_plots.py tests/model tests/app/test_options.py tests/data/test_rows.py

full: # what is slow by nature
	$(PYTEST) -m full

docs: # the site, in site/; a broken link or anchor is an error
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict

bench: # the tables of docs/benchmarks.md
	$(PYTHON) -m benchmarks
