# `make demo` and `make test` need a C++ compiler and Python 3.10, or 3.11 to 3.13 where glibc is
# 2.39 or newer; they set up everything else themselves, by requirements/install.sh.

.DEFAULT_GOAL := help
.PHONY: help demo demo-days test test-lane-b test-wheel test-notebook test-pytorch lint format docs lock check-locks bench-rqvae bench-join bench-encode bench-publish bench-stability bench-refresh bench-days bench-days-soak bench-ranker bench-ranker-quality bench-evaluation bench-serving bench-rank-many bench-serving-overload bench-client-import fuzz-serving paper clean

VENV := .venv
INSTALLED := $(VENV)/.installed
PEERS := .venv-peers
PEERS_INSTALLED := $(PEERS)/.installed
PYTORCH := .venv-pytorch
PYTORCH_INSTALLED := $(PYTORCH)/.installed
DOCS := .venv-docs
DOCS_INSTALLED := $(DOCS)/.installed
LOCKS := $(wildcard requirements/python3.*.txt)
# More arguments of the command that a target runs: make test ARGS="-k fingerprint"
ARGS :=
# Processes that tests run in; each imports TensorFlow and TFX, and may make the shared run.
WORKERS := 2

# TensorFlow and Google's client libraries are noisy at import.
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PYTHONWARNINGS ?= ignore

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 22

$(INSTALLED): pyproject.toml requirements/install.sh requirements/uv.sh $(LOCKS)
	@requirements/install.sh

$(PEERS_INSTALLED): benchmarks/requirements.txt benchmarks/install_peers.sh requirements/uv.sh
	@benchmarks/install_peers.sh

$(PYTORCH_INSTALLED): $(INSTALLED) requirements/pytorch.txt requirements/install_pytorch.sh
	@requirements/install_pytorch.sh

$(DOCS_INSTALLED): requirements/docs.txt requirements/install_docs.sh requirements/uv.sh
	@requirements/install_docs.sh

demo: $(INSTALLED) ## Run the pipeline on MovieLens and show what Semantic IDs gain over hashed IDs
	@$(VENV)/bin/sid demo $(ARGS)

test: $(INSTALLED) ## Run the tests
	@$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-lane-b: ## Run them on Python 3.13, in a Debian 13 root made for it in .lane-b (takes root)
	@tests/lane_b.sh test WORKERS=$(WORKERS) ARGS='$(subst ','\'',$(ARGS))'

test-wheel: $(INSTALLED) ## Install the wheel away from here and run the demonstration with it
	@tests/wheel.sh

test-notebook: $(INSTALLED) ## Run examples/semantic_ids.ipynb; ARGS=--inplace stores what it prints
	@$(VENV)/bin/jupyter-execute --timeout 900 $(ARGS) examples/semantic_ids.ipynb

test-pytorch: $(PYTORCH_INSTALLED) ## Run examples/pytorch_ranker.py, with a PyTorch fetched for it
	@$(PYTORCH)/bin/python -m pytest tests/examples/test_rankers.py -k pytorch $(ARGS)

lint: $(INSTALLED) ## Check the code's style and types, and that what it imports is declared
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@requirements/imports.sh

format: $(INSTALLED) ## Put the code into that style
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

docs: $(DOCS_INSTALLED) ## Build the documentation site into site/, where every warning is an error
	@NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --quiet --strict $(ARGS)
	@echo "The site begins with site/index.html."

demo-days: $(INSTALLED) ## Replay the demo's last weeks of many ratings as days, then serve and rank
	@$(VENV)/bin/sid demo --days --output runs/movielens-days $(ARGS)

bench-rqvae: $(INSTALLED) $(PEERS_INSTALLED) ## Measure the RQ-VAE against FAISS on the items of DATA=DIR
	@$(VENV)/bin/python -m benchmarks.rqvae --data $(DATA) $(ARGS)

bench-encode: $(INSTALLED) $(PEERS_INSTALLED) ## Measure encoding, alone and through Beam, and training steps against FAISS and PyTorch
	@$(VENV)/bin/python -m benchmarks.encode $(ARGS)
	@$(VENV)/bin/python -m benchmarks.encode_beam

bench-join: $(INSTALLED) ## Measure the feature join against DuckDB, and the state from day to day
	@$(VENV)/bin/python -W ignore -m benchmarks.join $(ARGS)

bench-publish: $(INSTALLED) ## Measure how fast a million Semantic IDs get into SQLite and Redis
	@$(VENV)/bin/python -m benchmarks.publish $(ARGS)

bench-stability: $(INSTALLED) ## Measure how far Semantic IDs depend on when their RQ-VAE was trained, on DATA=DIR
	@$(VENV)/bin/python -m benchmarks.stability $(if $(DATA),--data $(DATA)) $(if $(CONFIG),--config $(CONFIG)) $(ARGS)

bench-refresh: $(INSTALLED) ## Measure what a refresh of the SID space keeps, and drift where there is none, on DATA=DIR
	@$(VENV)/bin/python -m benchmarks.refresh --data $(DATA) $(if $(CONFIG),--config $(CONFIG)) $(ARGS)

bench-days: $(INSTALLED) ## Measure the daily mode against a full retraining every day, on DATA=DIR
	@$(VENV)/bin/python -W ignore -m benchmarks.days --items $(DATA)/items.parquet --impressions $(DATA)/impressions.parquet \
		$(if $(CONFIG),--config $(CONFIG)) $(ARGS)

bench-days-soak: $(INSTALLED) ## Live through 14 days, a refresh, a rollback and 20 SIGKILLs under requests without end
	@$(VENV)/bin/python -W ignore -m benchmarks.day_soak $(ARGS)

bench-ranker: $(INSTALLED) ## Measure the training speed of rankers against hashed IDs [DATA=DIR]
	@$(VENV)/bin/python -m benchmarks.ranker $(if $(DATA),--data $(DATA)) $(if $(CONFIG),--config $(CONFIG)) $(ARGS)

bench-ranker-quality: $(INSTALLED) $(PEERS_INSTALLED) ## Measure the ranker against LightGBM with the same counters, on DATA=DIR, report into OUT=DIR
	@$(VENV)/bin/python -m benchmarks.ranker_quality $(if $(DATA),--data $(DATA)) $(if $(OUT),--out $(OUT)) \
		$(if $(CONFIG),--config $(CONFIG)) $(ARGS)

bench-evaluation: $(INSTALLED) ## Measure the CPU time of the evaluation against TFMA, and how often its intervals are right
	@$(VENV)/bin/python -m benchmarks.evaluator $(ARGS)

bench-serving: $(INSTALLED) ## Measure the latency of ranking, in process and served, with new items and versions coming
	@$(VENV)/bin/python -m benchmarks.serving $(ARGS)

bench-rank-many: $(INSTALLED) ## Measure rank_many over as many calls of rank, and sid_hybrid over random_hash, in process
	@$(VENV)/bin/python -W ignore -m benchmarks.rank_many $(ARGS)

bench-serving-overload: $(INSTALLED) ## Measure goodput and refusals of sid serve at twice the requests that it can answer
	@$(VENV)/bin/python -m benchmarks.serving_overload $(ARGS)

bench-client-import: $(INSTALLED) ## Measure the cost of importing a client, over that of numpy and grpc
	@$(VENV)/bin/python -m benchmarks.client_import $(ARGS)

fuzz-serving: $(INSTALLED) ## Send bad requests to sid serve [REQUESTS=100000]
	@$(VENV)/bin/python -m benchmarks.serving_fuzz $(if $(REQUESTS),--requests $(REQUESTS)) $(ARGS)

paper: $(INSTALLED) ## Test the claims about Semantic IDs on DATA=DIR, report into OUT=DIR [SEEDS=3] [QUICK=1]
	@$(VENV)/bin/python -m benchmarks.paper $(if $(DATA),--data $(DATA)) $(if $(OUT),--out $(OUT)) \
		$(if $(CONFIG),--config $(CONFIG)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(QUICK),--quick) $(ARGS)

lock: ## Resolve the requirements of pyproject.toml anew, for every Python
	@requirements/lock.sh

check-locks: ## Ask the registry whether every locked package is there, for every Python
	@requirements/check.sh

clean: ## Remove the environments and all caches; runs/ stays
	rm -rf $(VENV) $(PEERS) $(PYTORCH) $(DOCS) .venv-uv .redis-server* site build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf --one-file-system .lane-b || rm -rf --one-file-system .lane-b # A run may still write there.
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
