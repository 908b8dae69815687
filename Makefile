# The two commands to know: `make demo` and `make test`. Everything else is here for developers.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format generate lock soak bench clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test lint soak: export HILGATE_SETUP = tests

setup: ## install what is missing (Debian packages, .venv with pinned Python packages)
	@scripts/setup

demo: ## the whole arrow on handwritten digits, training included, in a scratch copy
	@scripts/demo

test: setup lint ## lint, then every test
	@scripts/test

lint: setup ## everything that can be checked without running it
	@scripts/lint

format: setup ## the same, but formats instead of complaining
	@scripts/lint --fix

generate: setup ## write every generated file from its source
	@scripts/generate

lock: setup ## renew requirements.lock from pyproject.toml
	@scripts/lock

soak: setup ## long campaigns: fuzzing, power cuts, lost bytes
	@HYPOTHESIS_PROFILE=soak scripts/test -m "soak or not soak"

bench: setup ## speed of the command line, the virtual board and the kernels
	@scripts/bench

clean: ## remove what was built; .venv, downloads and results stay
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
