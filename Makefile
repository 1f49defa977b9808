# `make demo` and `make test` need Python 3.11 and nothing else.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash

.PHONY: setup demo lint test test-kills test-cluster bench torture clean
setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: setup
	$(BIN)/ockham launch redundancy

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Two processes: half of the tests compute on one core, the other half wait for Ray and for databases.
test: setup lint
	$(BIN)/python -m pytest -m "not cluster and not kills" -n 2 --dist loadfile

# A quarter of an hour: death at every crash point, of workers, of nodes, of the tracking server.
test-kills: setup
	$(BIN)/python -m pytest -m kills

# Root only, minutes: starts hosts made of network namespaces and runs a cluster on them; elsewhere it says why not.
test-cluster: setup
	$(BIN)/python -m pytest -m cluster -rs

bench: setup
	$(BIN)/python -m tests.benchmarks

torture: setup
	$(BIN)/python -m tests.torture --kills 100

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache
