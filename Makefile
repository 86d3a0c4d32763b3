# `make demo` and `make test` do all the set-up they need; `make help` explains the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# The first Python of 3.11 or newer that is found; give PYTHON=… for another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
# An extra package index for torch's CPU build, where the default one would bring a larger build.
TORCH_INDEX ?=
SERVE ?= 1
# Each worker of the tests has a PostgreSQL and, where it needs them, models of its own: 1 GB of memory at the most.
WORKERS ?= logical
TESTS := -n $(WORKERS) --maxprocesses 4 --dist worksteal
# A folder of its own: another run that starts takes other users' rights from the one that all runs share, and root's
# embedded server, which runs as a user of its own, would no longer reach its data there.
APART := T="$$(mktemp -d)" && trap 'rm -rf "$$T"' EXIT && export PYTEST_DEBUG_TEMPROOT="$$T" HF_HUB_OFFLINE=1 &&
KILLS ?= 200

# make lock: `all`, or the one package to take a newer version of.
UPGRADE ?=

.PHONY: help setup lock demo serve test lint types contracts migrations check quality crash bench screenshots messages clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=…       the Python (3.11 or newer) that makes the environment"
	@echo "  TORCH_INDEX=…  the package index torch comes from, where it has the CPU build"
	@echo "  UPGRADE=…      lock: all, or the package to take a newer version of"
	@echo "  SERVE=0        demo: end after the table"
	@echo "  WORKERS=0      test: in one process, for a debugger"

setup: $(VENV)/.complete ## make the environment and install everything into it

# Files of known hashes, and no choice of versions at install. torch alone is pinned without a hash, since its build depends on the
# index; it comes last, so that what it needs is there already, and --no-deps keeps any other package from bringing another build of it.
$(VENV)/.complete: pyproject.toml requirements-dev.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; give it with PYTHON=/path/to/python"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	@touch $@

# What an installation gets, and that with what a checkout needs besides. Versions stay while they satisfy pyproject.toml, unless UPGRADE
# says otherwise. Hashes are those of all files of a version that the index names, for all platforms.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --annotation-style line \
	--custom-compile-command 'make lock' --no-emit-package torch \
	$(if $(UPGRADE),$(if $(filter all,$(UPGRADE)),--upgrade,--upgrade-package $(UPGRADE)))

lock: ## write both lock files anew from pyproject.toml; UPGRADE=all, or a package's name, takes newer versions
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(LOCK) --output-file requirements.lock pyproject.toml
	$(LOCK) --output-file requirements-dev.lock --extra dev --constraints requirements.lock pyproject.toml

demo: setup ## ingest the samples, print the best matches of three needs, serve the API on port 8000
	$(BIN)/enmusubi demo $(if $(filter 0,$(SERVE)),--no-serve)

serve: setup ## migrate and serve the API
	$(BIN)/enmusubi migrate
	$(BIN)/enmusubi serve

test: setup ## run all tests, a worker for each processor (reduced: few kills, short property tests)
	$(APART) $(BIN)/python -m pytest $(TESTS)

lint: setup ## ruff: errors and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## mypy, strict
	$(BIN)/mypy

contracts: setup ## import contracts
	$(BIN)/lint-imports

migrations: setup ## migrations: models and migrations agree, up and down and up again
	$(APART) $(BIN)/python -m pytest -q tests/app/test_migrations.py

check: lint types contracts test ## everything CI runs

quality: setup ## figures of the judged sets (../shared/eval), the golden set, the model against its engine, in full
	$(APART) $(BIN)/python -m pytest -q tests/quality tests/matching/test_encoder_reference.py --full

crash: setup ## crash tests with KILLS kills (200)
	$(APART) $(BIN)/python -m pytest -q tests/process/test_crash.py tests/process/test_notices_crash.py --kills $(KILLS)

bench: setup ## speed against the plain script; writes docs/benchmarks
	HF_HUB_OFFLINE=1 $(BIN)/python -m benchmarks

screenshots: setup ## take the README's screenshots anew, in Chromium
	HF_HUB_OFFLINE=1 $(BIN)/python -m tests.web.screenshots

messages: setup ## bring the pages' catalogues up to date with templates and code
	$(BIN)/python -m tests.web.messages

clean: ## remove the environment and caches; var/ (the data) stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
