# `make` lists the targets. Each target sets up what it needs.

# The first Python that is recent enough.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
PEERS ?= .venv-peers
BIN := $(VENV)/bin/python
# Two workers per core; a failing test is shown at once. The order is that of tests/conftest.py, longest first; without
# this option xdist would begin with the largest groups.
PARALLEL := -n auto --dist loadgroup --no-loadscope-reorder
# Many tests drive real browsers and servers, on machines that may do other work: a test that fails runs once more, and
# the summary names it.
RERUNS := --reruns 1 -r fER
PYTEST := CROWDTRACE_PEERS=$(abspath $(PEERS))/bin/python $(BIN) -m pytest
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-long check check-types check-code check-scripts fix lighthouse screenshots bench texts lock wheelhouse sbom clean python environment environment-dev environment-peers system browsers modules

help: ## List the targets
	@echo "make run starts CrowdTrace, make test tests it. All targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s%s\n", $$1, $$2}'

run: environment ## Start CrowdTrace on this machine; PORT, CROWDTRACE_HOME and LAN=1 set where it runs
	@exec $(BIN) -I -S embedded/tether.py $$PPID $(BIN) manage.py serve

# Packages of npm, installed again if the lock is newer.
MODULES := { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund; }

test: environment-dev environment-peers system browsers ## Run all tests except the long ones, and first use also in Firefox and WebKit; TESTS="tests/common -k home" selects some
	@$(PYTEST) -m "not long" $(PARALLEL) $(RERUNS) $(TESTS)

test-long: environment-dev environment-peers system browsers ## Run the tests that take minutes, among them the other flows and every page at 320 px in Firefox and WebKit
	@$(PYTEST) -m long $(TESTS)

check: check-types check-code check-scripts ## Check style, types, import directions, migrations, the API's schema and built assets

# Types take as long as all others together: `make -j2 check` checks both at once.
check-types: environment-dev
	@$(BIN) -m mypy .

check-code: environment-dev
	@$(BIN) -m ruff check
	@$(BIN) -m ruff format --check
	@$(VENV)/bin/lint-imports
	@$(BIN) manage.py makemigrations --check --dry-run
	@$(BIN) manage.py spectacular --validate --fail-on-warn --file /dev/null

check-scripts: environment-dev
	@if command -v npm >/dev/null; then $(MODULES) && npm run --silent check; fi

fix: environment-dev ## Fix style
	@$(BIN) -m ruff check --fix
	@$(BIN) -m ruff format

lighthouse: system environment ## Measure pages of a running copy with Lighthouse (requires Node); URL names it
	@$(BIN) tools/lighthouse.py $(or $(URL),http://127.0.0.1:8000)

screenshots: environment-dev system ## Take screenshots of every page of a running copy; URL names it
	@$(BIN) docs/screenshots/take.py $(or $(URL),http://127.0.0.1:8000)

# The excluded programs run in other environments; benchmarks/dose.py and benchmarks/fit.py start them.
BENCHMARKS = $(basename $(notdir $(filter-out %/dose_caimira.py %/fit_mbi.py,$(shell grep -l __main__ benchmarks/*.py))))
bench: environment-dev ## Run every benchmark in benchmarks/, each of which prints its figures
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(BIN) -m benchmarks.$$name; done

APPS := crowdtrace/site crowdtrace/town exports risk passes venues common
texts: environment-dev ## Collect texts for translators, and compile translations (requires gettext)
	@command -v msgfmt >/dev/null || { echo "make texts requires gettext, a system package." >&2; exit 1; }
	@set -e; for app in $(APPS); do ( cd $$app; \
		$(abspath $(BIN)) $(CURDIR)/manage.py makemessages --all --no-wrap --no-location --no-obsolete --verbosity 0; \
		$(abspath $(BIN)) $(CURDIR)/manage.py compilemessages --verbosity 0 ); done

# Locks apply to every Python from 3.11 and every system; they contain hashes and no URLs.
UV ?= uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links pyproject.toml
lock: ## Update locks/ from pyproject.toml (requires uv)
	@command -v $(UV) >/dev/null || { echo "make lock requires uv: pip install uv" >&2; exit 1; }
	$(COMPILE) --output-file locks/base.txt
	$(COMPILE) --extra dev --constraint locks/base.txt --output-file locks/dev.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --group pyproject.toml:peers --output-file locks/peers.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --group pyproject.toml:spark --constraint locks/base.txt \
		--output-file locks/spark.txt

wheelhouse: environment ## Download all packages for a machine without a network; `make run` and `make test` use them
	@$(PYTHON) tools/wheelhouse.py $(abspath $(BIN)) locks/base.txt locks/dev.txt locks/peers.txt

sbom: environment-dev ## Write the software bill of materials, sbom.cdx.json (CycloneDX), from the locks
	@$(BIN) tools/sbom.py sbom.cdx.json

clean: ## Remove environments and caches, but not data
	rm -rf $(VENV) $(PEERS) wheelhouse.part staticfiles .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.crowdtrace/*' -prune -exec rm -rf {} +

python:
	@test -n "$(PYTHON)" || { echo "CrowdTrace requires Python 3.11 or newer; set PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("CrowdTrace requires Python 3.11 or newer; %s is %s." \
		% (sys.executable, sys.version.split()[0]) if sys.version_info < (3, 11) else 0)'

environment: python
	@$(PYTHON) tools/environment.py $(VENV) locks/base.txt

environment-dev: python
	@$(PYTHON) tools/environment.py $(VENV) locks/dev.txt locks/base.txt

environment-peers: python
	@$(PYTHON) tools/environment.py $(PEERS) locks/peers.txt

system:
	@sh tools/system.sh chromium java

# If a browser is missing, its tests are skipped with the reason; BROWSERS=all, as in .ci/run, makes that an error.
browsers: system ## Install Firefox, WebKit and their drivers, if this system has packages of them
	@sh tools/system.sh --if-possible firefox-esr webkit2gtk-driver xvfb node npm
	@if command -v npm >/dev/null; then $(MODULES) || echo "npm could not install puppeteer-core." >&2; fi
