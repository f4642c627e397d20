# make setup, then: make demo, make test, make lint
VENV ?= .venv
PYTHON ?= python3
RUNS ?= 5
OUT ?= demo
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test lint format bench-paper bench-smoke clean
.DEFAULT_GOAL := help

help:
	@echo "make setup   create $(VENV) and install the package"
	@echo "make demo    compare the methods of the paper (RUNS=5 OUT=demo)"
	@echo "make test    run the whole test suite"
	@echo "make lint    check style and format"
	@echo "make format  mend format"
	@echo "make bench-paper  rewrite the results of the paper's protocol"
	@echo "make bench-smoke  fail if the loss has lost its lead over going through pairs"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m sklearn_pscore compare --runs $(RUNS) --out $(OUT)

# Two workers with one thread each: threads of two fits at once get in each
# other's way.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-paper: $(STAMP)
	$(BIN)/python benchmarks/paper_challenge.py
	$(BIN)/python benchmarks/paper_thqa.py
	$(BIN)/python benchmarks/paper_tables.py > docs/paper_tables.md

bench-smoke: $(STAMP)
	$(BIN)/python benchmarks/pair_loss.py --smoke

clean:
	rm -rf $(VENV) demo build dist *.egg-info
