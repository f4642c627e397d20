# make setup, then: make demo, make test, make lint, make bench
VENV ?= .venv
PYTHON ?= python3
RUNS ?= 5
OUT ?= demo
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet -c constraints.txt
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.installed-bench
OLDEST ?= .venv-oldest
OLDEST_STAMP := $(OLDEST)/.installed
COMPAT ?= .venv-compat
COMPAT_STAMP := $(COMPAT)/.installed
SPEED := pair_loss epoch step_profile fit_profile augmenter prediction \
	metrics_speed paper_workload large_ranking growth streamed sparse fit_time threads dask_fit

.PHONY: help setup demo test test-oldest lint format bench bench-agreement \
	bench-inspection bench-reliability bench-paper bench-smoke compat clean
.DEFAULT_GOAL := help

help:
	@echo "make setup   create $(VENV) and install the package"
	@echo "make demo    compare the methods of the paper, answer four questions (RUNS=5 OUT=demo)"
	@echo "make test    run the whole test suite, print the lines that no test reaches"
	@echo "make test-oldest  run it with the oldest versions allowed (Python 3.11 or 3.12)"
	@echo "make lint    check style and format"
	@echo "make format  mend format"
	@echo "make bench   measure speed against the peers (an hour), write docs/speed.md"
	@echo "make bench-agreement  measure agreement with people (hours)"
	@echo "make bench-inspection  leaderboards, curves, importance, coverage (40 minutes), write their pages of docs/"
	@echo "make bench-reliability  judge 10,000 odd inputs (5 minutes), write docs/reliability.md"
	@echo "make bench-paper  rewrite the results of the paper's protocol"
	@echo "make compat  try scikit-learn and other tools (5 minutes), write docs/compatibility.md"
	@echo "make bench-smoke  small benchmarks, fail if a ratio is broken (2 minutes)"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[dev]"
	@touch $@

$(BENCH_STAMP): $(STAMP)
	$(PIP) -e ".[dev,bench]"
	@touch $@

demo: $(STAMP)
	$(BIN)/pscore compare --runs $(RUNS) --out $(OUT) --force

# Two workers with one thread each: threads of two fits at once get in each
# other's way.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --cov

test-oldest: $(OLDEST_STAMP)
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python -m pytest -n 2 --dist worksteal

# constraints-oldest.txt comes before constraints.txt, whose other lines hold.
$(OLDEST_STAMP): pyproject.toml constraints.txt constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	awk -F == 'NR == FNR { oldest[$$1]; next } !($$1 in oldest)' \
		constraints-oldest.txt constraints.txt > $(OLDEST)/other-constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet -c constraints-oldest.txt \
		-c $(OLDEST)/other-constraints.txt -e ".[dev]"
	@touch $@

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One after the other: two at once would get in each other's way.
bench: $(BENCH_STAMP)
	set -e; for name in $(SPEED); do $(BIN)/python -m benchmarks.speed.$$name; done
	$(BIN)/python -m benchmarks.speed.plots
	$(BIN)/python -m benchmarks.speed.tables

bench-agreement: $(BENCH_STAMP)
	set -e; for name in comparison variants group_weight stack missing other_models \
		calibration uncertainty augmentation; do \
		$(BIN)/python -m benchmarks.agreement.$$name; done
	$(BIN)/python -m benchmarks.agreement.tables

bench-inspection: $(STAMP)
	set -e; for name in talking_heads curves importance coverage learnt_coverage ceiling \
		paired new_system speed tables curve_tables plots report command_line; do \
		OMP_NUM_THREADS=2 $(BIN)/python -m benchmarks.inspection.$$name; done

bench-reliability: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.reliability.odd_inputs
	$(BIN)/python -m benchmarks.reliability.tables

bench-paper: $(STAMP)
	$(BIN)/python -m benchmarks.paper.challenge
	$(BIN)/python -m benchmarks.paper.thqa
	$(BIN)/python -m benchmarks.paper.plots
	$(BIN)/python -m benchmarks.paper.tables > docs/paper_tables.md

bench-smoke: $(BENCH_STAMP)
	set -e; for name in $(SPEED); do $(BIN)/python -m benchmarks.speed.$$name --smoke; done

compat: $(COMPAT_STAMP)
	OMP_NUM_THREADS=1 MPLBACKEND=Agg $(COMPAT)/bin/python -m benchmarks.compatibility.run

$(COMPAT_STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(COMPAT)
	$(COMPAT)/bin/python -m pip install --quiet -c constraints.txt -e ".[compat]"
	@touch $@

clean:
	rm -rf $(VENV) $(OLDEST) $(COMPAT) demo build dist *.egg-info
