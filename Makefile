# Run `make help` for the list of targets. A fresh machine needs Python >= 3.11 with venv and pip, and make.

PYTHON ?= python3
VENV ?= .venv
OLDEST ?= .venv-oldest
EXTRAS ?= .venv-extras
ARGS ?=

RUN := $(VENV)/bin/python
PIP_INSTALL := $(RUN) -m pip install --disable-pip-version-check -c constraints.txt
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.installed-docs

export MPLBACKEND ?= Agg
ifdef NEUROSIM_DATA
export NEUROSIM_DATA
endif

.DEFAULT_GOAL := help
.PHONY: help install test test-slow test-checked test-oldest test-extras test-extras-slow lint bench demo docs clean

help:
	@echo "make install   create $(VENV) with PYTHON=$(PYTHON) and install the packages, editable, with the dev extra"
	@echo "make test      run the quick tests and the examples in docstrings; ARGS=\"-k lif\" picks some"
	@echo "make test-slow run the tests that are marked slow"
	@echo "make test-checked  run random networks with all indices of compiled code checked (NEUROSIM_CHECK=1)"
	@echo "make test-oldest   run tests with the oldest versions that are promised, in $(OLDEST)"
	@echo "make test-extras   run the tests that need PyTorch, snnTorch, NIR, Brian2, NEST, Dask, Optuna, Neo, PyNWB and others, in $(EXTRAS)"
	@echo "make test-extras-slow   run the long ones among them, some minutes each"
	@echo "make lint      check the style with ruff and the types with pyright"
	@echo "make bench     run the benchmarks"
	@echo "make demo      digits as event-camera recordings through a liquid to a readout; results in build/demo"
	@echo "make docs      build the pages of docs/, the reference and the gallery as HTML into build/docs"
	@echo "make clean     remove $(VENV), caches and builds"

install: $(STAMP)

# Only shell built-ins and Python are used here, so that an odd PATH ends in one of these sentences.
$(STAMP): pyproject.toml constraints.txt
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	    echo "make: $(PYTHON) is not on the PATH; name a Python >= 3.11: make install PYTHON=/path/to/python3" >&2; \
	    exit 1; }
	@"$(PYTHON)" -c "" >/dev/null 2>&1 || { \
	    echo "make: $(PYTHON) was found but does not run; name a Python >= 3.11: make install PYTHON=/path/to/python3" >&2; \
	    exit 1; }
	@"$(PYTHON)" -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	    echo "make: neurosim needs Python >= 3.11, but $(PYTHON) is" \
	         "$$("$(PYTHON)" -c "import platform; print(platform.python_version())")." \
	         "Name a newer one: make install PYTHON=python3.12" >&2; \
	    exit 1; }
	@"$(PYTHON)" -c "import ensurepip, venv" >/dev/null 2>&1 || { \
	    echo "make: $(PYTHON) comes without venv and pip; install them" \
	         "(on Debian and Ubuntu the package python3-venv) or name another Python with PYTHON=" >&2; \
	    exit 1; }
	@[ -w . ] || { \
	    echo "make: this folder is read-only, so $(VENV) cannot be made here; copy the folder to where you can write" >&2; \
	    exit 1; }
	@"$(RUN)" -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear "$(VENV)"
	$(PIP_INSTALL) -e ".[dev]"
	@: > $@

$(DOCS_STAMP): $(STAMP)
	$(PIP_INSTALL) -e ".[docs]"
	@: > $@

# The examples in docstrings are tests too. Each process takes a block of the list, then what another has left of its
# block, so that most tests of a file, and what they compile, stay together. Linear algebra has one thread for each.
TESTS := -n auto --maxprocesses 8 --dist worksteal --doctest-modules --doctest-ignore-import-errors \
    tests neurosim learning_rules hardware_models
test test-slow test-checked test-oldest test-extras test-extras-slow: export OPENBLAS_NUM_THREADS ?= 1

test: install
	$(RUN) -m pytest -m "not slow" $(TESTS) $(ARGS)

test-slow: install
	$(RUN) -m pytest -m slow $(TESTS) $(ARGS)

test-checked: install
	NEUROSIM_CHECK=1 $(RUN) -m pytest -n auto --maxprocesses 8 -k "not hundred" tests/test_random_networks.py $(ARGS)

$(OLDEST)/.installed: $(STAMP) constraints-oldest.txt
	"$(RUN)" -m venv --clear $(OLDEST)
	$(OLDEST)/bin/python -m pip install --disable-pip-version-check -c constraints-oldest.txt -e ".[dev]"
	@: > $@

# Those that use most of what NumPy, Numba, SciPy, h5py and scikit-learn offer; OLDEST_TESTS=tests runs all quick ones.
OLDEST_TESTS ?= $(addprefix tests/test_,loader.py bodies.py elementary.py random.py spikes.py readouts.py \
    crossbar.py plot.py)

test-oldest: $(OLDEST)/.installed
	$(OLDEST)/bin/python -m pytest -m "not slow" -n auto --maxprocesses 8 --dist worksteal $(OLDEST_TESTS) $(ARGS)

$(EXTRAS)/.installed: $(STAMP)
	"$(RUN)" -m venv --clear $(EXTRAS)
	$(EXTRAS)/bin/python -m pip install --disable-pip-version-check -c constraints.txt \
	    -e ".[dev,snntorch,nir,brian2,nest,formats,sweep,dask,optuna,neo,nwb,peers,connectome]"
	@: > $@

EXTRAS_TESTS ?= $(wildcard tests/test_bridge*.py tests/test_sweep*.py tests/test_datasets_*.py tests/test_*brian2.py \
    tests/test_backends*.py tests/test_export*.py tests/test_fly_brain.py) neurosim/bridge neurosim/sweep neurosim/datasets neurosim/export

test-extras: $(EXTRAS)/.installed
	$(EXTRAS)/bin/python -m pytest -m "not slow" -n auto --maxprocesses 8 --dist worksteal --doctest-modules $(EXTRAS_TESTS) \
	    $(ARGS)

# Minutes each: programs that Brian2 compiles, delays that are learned, ten million spikes through every format.
test-extras-slow: $(EXTRAS)/.installed
	$(EXTRAS)/bin/python -m pytest -m slow -n auto --maxprocesses 8 --dist worksteal $(EXTRAS_TESTS) $(ARGS)

lint: install
	$(RUN) -m ruff check .
	$(RUN) -m pyright --pythonpath $(RUN)

bench: install
	$(RUN) -m benchmarks $(ARGS)

demo: install
	$(RUN) -m neurosim.cli demo --out build/demo $(ARGS)

docs: $(DOCS_STAMP)
	$(RUN) -m sphinx -b html -W --keep-going docs build/docs

clean:
	rm -rf "$(VENV)" "$(OLDEST)" "$(EXTRAS)" build dist docs/reference docs/examples docs/sg_execution_times.rst \
	    *.egg-info .hypothesis .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
