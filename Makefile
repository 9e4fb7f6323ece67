# `make demo` and `make test` set up everything they need in .venv on a fresh machine with Python >= 3.10.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test bench soak lint format clean

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## a .venv with Sepcam and all extras

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Sepcam needs Python >= 3.10; name one: make setup PYTHON=python3.12" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[all]"
	touch $@

demo: $(READY)  ## the main job on the bundled clip; writes ./sepcam-demo
	$(BIN)/sepcam demo

test: $(READY)  ## the whole test suite
	$(BIN)/pytest -n 2 --dist loadfile

bench: $(READY)  ## speed against the machine and against peers; writes ./sepcam-bench (BENCH=--quick for a try)
	$(BIN)/python -m tests.bench $(BENCH)

soak: $(READY)  ## a job of 200 clips that is killed 20 times (SOAK="--clips 40 --kills 5" for a try)
	$(BIN)/python -m tests.soak $(SOAK)

lint: $(READY)  ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(READY)  ## let ruff lay out the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the environment and what was built
	rm -rf $(VENV) build dist *.egg-info sepcam-demo
