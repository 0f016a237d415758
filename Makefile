# Paced Orders. `make` alone says what there is; every target first sets up .venv when needed.

PYTHON ?=
ARGS ?=
export PYTHON
BIN := .venv/bin

# What a newcomer runs: all but what takes minutes or needs programs that set-up does not install.
NEWCOMER := not slow and not needs
FAST := $(NEWCOMER) and not aws and not kcl and not e2e and not chaos
# One process has the tests with busy daemons, another the rest (tests/conftest.py).
PYTEST := $(BIN)/pytest -n 2
# A third has those that mostly wait.
PYTEST_ALL := $(BIN)/pytest -n 3
BENCHMARKS := api_client drain outages pacing quota_year reading throughput
IN_PARALLEL := -j2 --keep-going $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.DEFAULT_GOAL := help
.PHONY: help set-up demo test test-all check code style types imports templates fast format bench lock picture clean

help: ## This list
	@echo "Paced Orders: sends files of orders to a rate-limited API. Start with 'make demo'."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  PYTHON=python3.12   the Python for .venv (otherwise found: 3.11, 3.12 or 3.13)"
	@echo "  ARGS=...            passed on: make test ARGS='-k envelope -x', make demo ARGS=--help"

set-up:
	@tools/set-up

demo: set-up ## The whole system on this machine, with a kill in the middle; about a minute
	@$(BIN)/orders demo $(ARGS)

test: set-up ## The suite for everybody: real Lambda run, real KCL, SIGKILL; under 5 minutes
	@$(PYTEST) -m "$(NEWCOMER)" $(ARGS)

test-all: set-up ## Everything, including what takes minutes or needs Node and Debian packages
	@$(PYTEST_ALL) $(ARGS)

check: set-up ## Before each commit: style, types, imports, fast tests; about a minute
	@$(MAKE) --no-print-directory $(IN_PARALLEL) types style imports fast

code: set-up # the part of `check` that runs none of our code
	@$(MAKE) --no-print-directory $(IN_PARALLEL) types style imports

style:
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && echo "style: good" || \
		{ echo "style: 'make format' fixes most of it" >&2; exit 1; }

types:
	@$(BIN)/mypy

imports:
	@$(BIN)/lint-imports --no-logo

templates: set-up ## Hold the CloudFormation templates to checkov's rules
	@tools/check-templates

fast:
	@$(PYTEST) -q -m "$(FAST)" $(ARGS)

format: set-up ## Format the code and fix what can be fixed automatically
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

bench: set-up ## Measure the figures in the README, ours beside the yardstick; takes long
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py $(ARGS) || exit 1; done

lock: ## Write requirements*.txt from pyproject.toml (ARGS=--upgrade for newer versions)
	@tools/lock $(ARGS)

picture: ## Draw docs/architecture.svg from its text (needs Graphviz)
	dot -Tsvg docs/architecture.dot -o docs/architecture.svg

clean: ## Remove what set-up and the tools made
	rm -rf .venv .set-up *.egg-info build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache tests/node/node_modules
