# `make demo` and `make test` set up what they need in .venv on a fresh machine with Python >= 3.10.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core
READY := $(VENV)/.ready
EDITOR := $(VENV)/editor/sepcam

.PHONY: help setup demo test bench soak soak-live fuzz lint format docs clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## a .venv with Sepcam, all extras and the development tools

# $(call install,WHAT): WHAT is "." or ".[extras]".
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo "Sepcam needs Python >= 3.10; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
@echo "installing Sepcam into $(VENV); the first time this takes minutes"
$(BIN)/python -m pip install --quiet --disable-pip-version-check -e "$(1)"
endef

$(CORE): pyproject.toml
	$(call install,.)
	touch $@

# The links show pyright and editors where sepcam.* is (pyproject.toml, [tool.pyright]); Python does not use them.
$(READY): pyproject.toml
	$(call install,.[all])
	mkdir -p $(EDITOR) && cd $(EDITOR) && ln -sf ../../../app/package/*.* ../../../app ../../../assets \
		../../../models ../../../pipelines .
	touch $(CORE) $@

demo: $(CORE)  ## the main job on the bundled clip; writes ./sepcam-demo
	$(BIN)/sepcam demo

test: $(READY)  ## the whole test suite
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: $(READY)  ## speed against the machine and against peers; writes ./sepcam-bench (BENCH=--quick for a short run)
	$(BIN)/python -m tests.bench $(BENCH)

soak: $(READY)  ## a job of 200 clips that is killed 20 times (SOAK="--clips 40 --kills 5" for a short run)
	$(BIN)/python -m tests.soak $(SOAK)

soak-live: $(READY)  ## half an hour of cameras that come and go (SOAK="--minutes 5" for a short run)
	$(BIN)/python -m tests.soak.live $(SOAK)

fuzz: $(READY)  ## 2,000 damaged files through the whole path, at most 20 minutes (FUZZ="--files 200" for a short run)
	$(BIN)/python -m tests.fuzz $(FUZZ)

lint: $(READY)  ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(READY)  ## format the code with ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)  ## an API reference; writes ./sepcam-docs/index.html
	$(BIN)/python .ci/api_reference.py

clean:  ## remove the environment and everything built
	rm -rf $(VENV) build dist *.egg-info sepcam-demo sepcam-docs
