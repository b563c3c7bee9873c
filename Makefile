# What a newcomer types: `make demo` and `make test`. The rest is for those who change the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
SEED ?= 1
OPS ?= 100000
BASES ?= offline

ifdef UV
INSTALL = $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python
else
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.DEFAULT_GOAL := help
.PHONY: help demo real-demo test platforms check format pictures notebooks outputs lock bench fuzz compared fidelity mutants record clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "layerlab needs Python 3.11 or later; try: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing. Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.base: pyproject.toml requirements.txt | $(BIN)/python
	@echo "setting up $(VENV) (once)"
	@$(INSTALL) --constraint requirements.txt --editable .
	@$(BIN)/python -m compileall -q unionfs_sim builder course || true
	@touch $@

$(VENV)/.dev: pyproject.toml requirements.txt | $(BIN)/python
	@echo "setting up $(VENV) for tests (once)"
	@$(INSTALL) --requirement requirements.txt --editable .
	@$(BIN)/python -m compileall -q unionfs_sim builder course || true
	@touch $@ $(VENV)/.base

demo: $(VENV)/.base ## build the nginx example in memory and ask it for a page
	@$(BIN)/layerlab build --tag nginx-example examples/nginx
	@$(BIN)/layerlab run nginx-example --get /

real-demo: $(VENV)/.base ## build the nginx example for real, without root: Debian packages as bases, real processes
	@$(BIN)/python examples/nginx/offline/demo.py --bases $(BASES)

test: $(VENV)/.dev ## run the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q --nbmake tests notebooks

platforms: | $(BIN)/python ## run what is exported for a class through nbgrader, otter and the like, in an environment of their own
	@$(PYTHON) -m venv $(VENV)/platforms
	@$(VENV)/platforms/bin/python -m pip install --quiet --disable-pip-version-check --editable . $$($(PYTHON) -c \
		'import tomllib; g = tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]; print(*g["test"], *g["platforms"])')
	@$(VENV)/platforms/bin/python -m pytest -n 2 -q tests/real/platforms

check: $(VENV)/.dev ## format, lint, strict types, import floors, docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/architecture

format: $(VENV)/.dev ## format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

pictures: $(VENV)/.dev ## draw docs/pictures again
	@$(BIN)/python -m course.gallery docs/pictures

notebooks: $(VENV)/.dev ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab $$([ "$$(id -u)" = 0 ] && echo --allow-root) notebooks

outputs: $(VENV)/.dev ## run the notebooks and keep what their cells show
	@$(BIN)/python -m course.notebook_outputs notebooks

lock: $(VENV)/.dev ## pin what pyproject.toml asks for, for every Python from 3.11 on
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	@$(UV) pip compile --quiet --universal --python-version 3.11.0 --all-extras --group dev --no-annotate \
		--custom-compile-command "make lock" --output-file requirements.txt pyproject.toml

bench: $(VENV)/.dev ## measure against peers in the same run
	@for script in bench/*.py; do $(BIN)/python $$script || exit 1; done

fuzz: $(VENV)/.dev ## compare the union with the kernel's overlayfs: make fuzz SEED=7 OPS=100000
	@$(BIN)/python tests/real/kernel/fuzz.py --seed $(SEED) --ops $(OPS)

compared: $(VENV)/.base ## build the nginx example in every way that this machine can, and keep what that cost (root)
	@$(BIN)/python examples/nginx/offline/bases.py .offline
	@$(BIN)/layerlab compare examples/nginx/Dockerfile --allow-host-root --json \
		--build-context skillfir/alpine:gcc=oci-layout://$$PWD/.offline/gcc \
		--build-context skillfir/alpine:glibc=oci-layout://$$PWD/.offline/glibc >.offline/nginx.json
	@mv .offline/nginx.json examples/nginx/offline/compared.json

fidelity: $(VENV)/.dev ## measure the union against the kernel again and write docs/fidelity.md (root)
	@$(BIN)/python tests/real/kernel/fidelity.py --seed $(SEED) --calls 50000

mutants: $(VENV)/.dev ## break the core in 300 small ways and see which the tests notice: make mutants SEED=7
	@$(BIN)/python tests/mutation/run.py --seed $(SEED) --write

record: $(VENV)/.dev ## record the kernel's answers again, for machines where it cannot be asked (root)
	@$(BIN)/python tests/real/kernel/record.py --seed $(SEED)

clean: ## remove the environment and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
