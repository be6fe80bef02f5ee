# Every common act. `make demo` and `make test` do all the set-up a fresh machine needs; a second call installs nothing.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
SHARED ?= ../shared

.PHONY: help setup demo test test-slow test-lowest lint types check bench counting mutants scores fuzz dist docs clean

help:            ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## */\t/' | sort

setup: $(STAMP)  ## create .venv and install the pinned requirements

# torch first and alone: pip then takes the CPU build where the index offers one and keeps it for everything after.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $(STAMP)

demo: $(STAMP)   ## data, alignment, tuning, evaluation against controls, report: runs/demo
	$(BIN)/vistune demo --out runs/demo

test: $(STAMP)   ## the default test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: $(STAMP)  ## everything that needs no accelerator and no network
	$(BIN)/python -m pytest -n 2 -m 'not gpu and not network'

LOWEST := build/lowest
test-lowest:     ## the default suite on exactly the lowest versions that pyproject.toml states, in an environment of its own
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet -c constraints-lowest.txt -e '.[dev]'
	$(LOWEST)/bin/python -m pytest -n 2 --dist loadfile

lint: $(STAMP)   ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## mypy --strict
	$(BIN)/mypy

check: lint types test  ## what a change must pass

SCORES ?= $(SHARED)/scores
scores: $(STAMP) ## published numbers reproduced: expected against got
	$(BIN)/python benchmarks/published_scores.py $(SCORES)

# Both sides of each in one run, on one thread. TRL is put into an environment of its own below build/ the first time.
BENCH := build/bench
bench: $(STAMP)  ## speed and memory against peers: ratios, and numbers and a plot in build/bench (about 15 minutes)
	mkdir -p $(BENCH)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.train_vs_trl --json $(BENCH)/train_vs_trl.json
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.prefix_reuse --json $(BENCH)/prefix_reuse.json
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.loss_memory --json $(BENCH)/loss_memory.json
	$(BIN)/python -m benchmarks.plot_speed $(BENCH) --to $(BENCH)/speed.png

COUNTED ?= --benchmarks 20 --readers 100 --replies 200
counting: $(STAMP) ## damaged inputs of benchmarks, readers and reply formats: tried, refused, lost, changed (a sample; COUNTED= for more)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.counting $(COUNTED)

mutants: $(STAMP) ## small mistakes put into the source: how many the tests notice (up to two hours; goes on where it stopped)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.mutants --out build/mutants

MINUTES ?= 10
SEED ?= 0
fuzz: $(STAMP)   ## hostile inputs on every surface for MINUTES (10), from SEED (0): counts by kind, findings in build/fuzz
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --minutes $(MINUTES) --seed $(SEED)

dist: $(STAMP)   ## a wheel and a source archive in dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python -c 'from setuptools import build_meta; build_meta.build_sdist("dist")'

docs: $(STAMP)   ## the documentation as a site in build/site; a link that leads nowhere is an error
	$(BIN)/python -m pip install --quiet 'mkdocs-material==9.6.14'
	$(BIN)/mkdocs build --strict

clean:           ## remove runs and caches, keep .venv
	rm -rf runs dist .pytest_cache .mypy_cache .ruff_cache build *.egg-info
