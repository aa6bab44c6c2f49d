# Every target sets up what it needs first; where all is there, that costs a fraction of a second.
# PYTHON3 makes .venv and nothing else; `make help` and the rest need GNU make 3.81 or newer.
PYTHON3 ?= python3
BIN     := .venv/bin
PYTHON  := $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help setup browser alerts dashboards diff-dashboards preview grafana lint replay demo check test test-hardware format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv and find or install Prometheus, Alertmanager, node_exporter and etcd
	@command -v $(PYTHON3) >/dev/null || { echo "setup: there is no $(PYTHON3); install Python 3.11 or newer (apt-get install python3, brew install python)" >&2; exit 1; }
	@$(PYTHON3) checks/tools.py setup

browser: ## find or install Chromium, which the tests of pages need
	@$(PYTHON3) checks/tools.py browser

alerts: setup ## write the rules of every cluster from homelab.yaml and alerts/
	$(PYTHON) -m alerts

dashboards: setup ## write the dashboards of every cluster from homelab.yaml and dashboards/
	$(PYTHON) -m dashboards

REV ?= HEAD
diff-dashboards: setup ## say in words what changed in the dashboards since a revision (REV=main~3)
	@$(PYTHON) -m dashboards --diff $(REV)

preview: setup ## draw the dashboards without Grafana (ARGS="--incident PG-01", "--prometheus URL", "--exit")
	$(PYTHON) -m preview $(ARGS)

grafana: setup ## the dashboards in a real Grafana on loopback, if there is one
	$(PYTHON) -m preview.grafana $(ARGS)

lint: setup ## hold every query of alerts and dashboards against metrics/: what a cluster does not expose cannot be named
	$(PYTHON) -m checks.lint $(ARGS)

replay: setup ## play every outage of incidents/ through the rules (ARGS="cnpg PG-01" picks some)
	$(PYTHON) -m checks.replay $(ARGS)

demo: setup ## a real Prometheus and Alertmanager, a simulated homelab, an incident (ARGS="--incident ID --exit")
	$(PYTHON) -m demo $(ARGS)

check: setup ## the fast part of test, for every save
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --quiet --check
	$(PYTHON) -m mypy
	$(PYTHON) -m checks.lint

# Cheap first, so that a slip is shown at once; pytest last, so that its verdict is the closing line.
test: setup browser ## everything that CI runs (ARGS go to pytest)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(PYTHON) -m mypy
	$(BIN)/lint-imports --no-logo
	$(PYTHON) -m pytest -n 2 --dist worksteal $(ARGS)

test-hardware: setup ## run the exporter against Linux' own NVMe driver, in QEMU (a minute)
	$(PYTHON) -m pytest tests/hardware $(ARGS)

format: setup ## lay out the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

clean: ## remove build/
	rm -rf build
