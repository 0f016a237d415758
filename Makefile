# Paced Orders. `make` alone says what there is; every target sets .venv up first when it has to.

PYTHON ?=
ARGS ?=
export PYTHON
BIN := .venv/bin

# What a newcomer runs: all but what takes minutes or needs more programs than set-up brings.
NEWCOMER := not slow and not needs
FAST := $(NEWCOMER) and not aws and not kcl and not e2e and not chaos
IN_PARALLEL := -j2 --keep-going $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.DEFAULT_GOAL := help
.PHONY: help set-up demo test test-all check code style types imports fast format bench lock picture clean

help: ## This list
	@echo "Paced Orders: sends files of orders to a rate-limited API. Start with 'make demo'."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  PYTHON=python3.12   the Python for .venv (otherwise found: 3.11, 3.12 or 3.13)"
	@echo "  ARGS=...            handed on: make test ARGS='-k envelope -x', make demo ARGS=--help"

set-up:
	@tools/set-up

demo: set-up ## The whole system on this machine, with a kill in the middle; about a minute
	@$(BIN)/orders demo $(ARGS)

test: set-up ## The suite for everybody: real Lambda run, real KCL, SIGKILL; under 5 minutes
	@$(BIN)/pytest -m "$(NEWCOMER)" $(ARGS)

test-all: set-up ## Everything, also what takes minutes or needs Node and Debian packages
	@$(BIN)/pytest $(ARGS)

check: set-up ## Before each commit: style, types, imports, fast tests; about a minute
	@$(MAKE) --no-print-directory $(IN_PARALLEL) types style imports fast

code: set-up # the half of `check` that runs nothing of ours
	@$(MAKE) --no-print-directory $(IN_PARALLEL) types style imports

style:
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && echo "style: good" || \
		{ echo "style: 'make format' mends most of it" >&2; exit 1; }

types:
	@$(BIN)/mypy

imports:
	@$(BIN)/lint-imports --no-logo

fast:
	@$(BIN)/pytest -q -m "$(FAST)" $(ARGS)

format: set-up ## Put the code into its form and mend what can be mended by itself
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

bench: set-up ## The figures that the README claims, ours and the yardstick in one run; long
	@for bench in $$(grep -l __main__ benchmarks/*.py); do echo "== $$bench"; $(BIN)/python "$$bench" $(ARGS) || exit 1; done

lock: ## Write requirements*.txt anew from pyproject.toml (needs uv; ARGS=--upgrade for newer ones)
	@tools/lock $(ARGS)

picture: ## Draw docs/architecture.svg from its text (needs Graphviz)
	dot -Tsvg docs/architecture.dot -o docs/architecture.svg

clean: ## Take away what set-up and the tools made
	rm -rf .venv *.egg-info build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache tests/node/node_modules
