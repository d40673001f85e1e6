# `make demo` and `make test` need a C++ compiler and Python 3.10, or 3.11 to 3.13 where glibc is
# 2.39 or newer; they set up everything else themselves, by requirements/install.sh.

.DEFAULT_GOAL := help
.PHONY: help demo test lint format lock clean

VENV := .venv
INSTALLED := $(VENV)/.installed
LOCKS := $(wildcard requirements/python3.*.txt)
# More arguments of the command that a target runs: make test ARGS="-k fingerprint"
ARGS :=

# TensorFlow and Google's client libraries are noisy at import.
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PYTHONWARNINGS ?= ignore

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

$(INSTALLED): setup.py requirements/install.sh requirements/uv.sh $(LOCKS)
	@requirements/install.sh

demo: $(INSTALLED) ## Run the pipeline on MovieLens and show what Semantic IDs gain over hashed IDs
	@$(VENV)/bin/sid demo $(ARGS)

test: $(INSTALLED) ## Run the tests
	@$(VENV)/bin/python -m pytest $(ARGS)

lint: $(INSTALLED) ## Check the code's style
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

format: $(INSTALLED) ## Put the code into that style
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

lock: ## Resolve the requirements of setup.py anew, for every Python
	@requirements/lock.sh

clean: ## Remove the environment and all caches; runs/ stays
	rm -rf $(VENV) .venv-uv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
