# `make demo` and `make test` need a Python from 3.11 to 3.13 and nothing else.
PYTHONS := python3.11 python3.12 python3.13 python3
FITS := -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
PYTHON ?= $(firstword $(foreach python,$(PYTHONS),$(shell $(python) $(FITS) && echo $(python))))
NEWEST ?= python3.13
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SHELL := /bin/bash

.PHONY: setup which-python demo replications lint style types test pytest quick quickly smoke test-ends test-newest test-kills test-cluster bench torture pins clean
setup: $(VENV)/.installed

define a_python_fits
$(or $(PYTHON),false) $(FITS) || { echo "Ockham needs Python 3.11, 3.12 or 3.13 with its venv module:" \
"$(if $(PYTHON),$(PYTHON) is none,$(PYTHONS): none is here). Install it (Debian, Ubuntu: apt install python3 python3-venv)," \
"or say where it is: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
endef

which-python:
	@$(a_python_fits)
	@echo $(PYTHON)

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(a_python_fits)
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r constraints.txt
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

# Writes the files of pinned packages anew, each with the SHA-256 of all files of its version, for every Python and system
# that it exists for; needs uv. To take a newer version of one, change its line in constraints.txt first.
PINS := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command 'make pins'
NODE := infra/node/requirements
pins:
	mkdir -p build
	sed -n 's/^\([^ \#]*==[^ ]*\).*/\1/p' constraints.txt $(NODE).txt $(NODE)-gcp.txt infra/node/uv.txt | sort -u > build/pins
	$(PINS) pyproject.toml --extra dev -c build/pins -o constraints.txt
	$(PINS) pyproject.toml $(NODE).in -c build/pins -o $(NODE).txt
	$(PINS) $(NODE)-gcp.in -c build/pins -o $(NODE)-gcp.txt
	$(PINS) infra/node/uv.in -c build/pins -o infra/node/uv.txt

demo: setup
	$(BIN)/ockham launch redundancy

# Every named study at size small, an hour or two; stopped in whatever way, the same command goes on.
replications: setup
	$(BIN)/ockham replicate --home replications --out search_spaces/REPLICATIONS.md

lint: style types
style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
types: setup
	$(BIN)/mypy

# Three processes on two cores: a third of the time they wait for servers, for Ray and for deadlines. The longest files
# come first, few tests as they are, so that no process ends alone with one of them. mypy, which has one process, runs
# beside them.
PROCESSES := 3
# Else every process that a test starts compiles the packages anew, and each of the three the tests.
unexport PYTHONDONTWRITEBYTECODE
FIRST := tests/integration tests/contracts
FOLDERS := $(FIRST) $(filter-out $(FIRST) %/__pycache__,$(patsubst %/,%,$(wildcard tests/*/)))
test: style
	@$(MAKE) --no-print-directory --jobs 2 types pytest
pytest: setup
	$(BIN)/python -m pytest $(FOLDERS) -m "not cluster and not kills and not ends" -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

# Minutes: what dies in other ways than the one of each kind that `make test` has, damaged homes, odd trackers, and more
# of what takes seconds a case.
test-ends: setup
	$(BIN)/python -m pytest $(FOLDERS) -m "ends and not kills" -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

# What needs neither Ray nor a database server, and no file of which takes long: while you work.
QUICKLY := tests/unit tests/golden $(patsubst %,tests/contracts/test_%.py,rooms import_rules doors named_studies one_file_each)
quick: style
	@$(MAKE) --no-print-directory --jobs 2 types quickly
quickly: setup
	$(BIN)/python -m pytest $(QUICKLY) -m "not slow and not kills and not ends and not gpu" -n 2 --dist loadfile

# The newest Python, shortly: it installs, and runs a study, its report and the tests of what users write and read.
test-newest:
	@if $(NEWEST) $(FITS); then $(MAKE) VENV=.venv-newest PYTHON=$(NEWEST) smoke; \
	else echo "$(NEWEST) is not here: the newest Python is not tested"; fi

smoke: setup
	$(BIN)/python -m pytest tests/unit/test_config.py tests/unit/test_space.py tests/unit/test_ledger.py \
	  tests/unit/test_proposing.py tests/unit/test_report.py tests/unit/test_from_python.py tests/integration/test_trial.py
	$(BIN)/ockham launch redundancy --trials 6 --home $(VENV)/studies --name smoke-$$$$ --no-progress

# More than a quarter of an hour: death at every crash point, of workers, of nodes, of the tracking server; and whole what
# `make test-ends` samples (tests/README.md).
test-kills: setup
	$(BIN)/python -m pytest -m kills

# Root only, minutes: starts hosts made of network namespaces and runs a cluster on them; elsewhere it says why not.
test-cluster: setup
	$(BIN)/python -m pytest -m cluster -rs

bench: setup
	$(BIN)/python -m tests.benchmarks

torture: setup
	$(BIN)/python -m tests.torture.damage
	$(BIN)/python -m tests.torture.interruptions
	$(BIN)/python -m tests.torture --kills 100

clean:
	rm -rf $(VENV) .venv-newest build *.egg-info .mypy_cache .pytest_cache .ruff_cache
