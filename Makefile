# Every command gets what it needs first: a fresh machine with Python 3.11 and git needs nothing else.
# Another place for the state: TRIBUTARY_STATE; other ports: TRIBUTARY_PORT_BASE; another cache: TRIBUTARY_CACHE.
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$each" && exit; done; echo python3)
STATE := $(or $(TRIBUTARY_STATE),$(CURDIR)/.local)
TOOLCHAIN := @$(PYTHON) -m local.toolchain
ARGS ?=

.PHONY: help up demo down clean env recover traces pushes arm reachability diagram test test-full lint constraints

help: ## this list
	@echo "make up      brings the platform up on this machine; make test checks everything. All commands:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1@\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS=@ read -r name text; do printf '  %-13s %s\n' "$$name" "$$text"; done
	@echo "Linux is tested. macOS is not: the control plane is built there, and pods run without namespaces."

up: ## bring the platform up, or bring it up to date; ARGS=--json prints the table for programs
	$(TOOLCHAIN) run local.commands.up $(ARGS)

demo: ## a person consents at two banks and sees one history, on the platform that is up
	$(TOOLCHAIN) --only python run tests.end_to_end.demo

down: ## stop everything; state and tools stay
	$(TOOLCHAIN) --only python run local.commands.down

clean: ## stop everything and remove its state; tools stay in the cache
	$(TOOLCHAIN) --only python run local.commands.down --clean

env: ## exports for pulumi, kubectl and Azure's clients: eval "$$(make env)"
	$(TOOLCHAIN) --only python run local.commands.env

recover: ## STACK=name: take resources that exist into a stack's state, after answers were lost
	$(TOOLCHAIN) run local.commands.recover "$(or $(STACK),$(error say which: make recover STACK=local))"

traces: ## requests and traces that the services sent to Application Insights
	$(TOOLCHAIN) --only python run local.azure.dataplanes.traces --state "$(STATE)" $(ARGS)

pushes: ## what people's devices would have got, from the notification hubs; ARGS="--last 5 --json"
	$(TOOLCHAIN) --only python run local.azure.dataplanes.pushes --state "$(STATE)" $(ARGS)

arm: ## STACK=name: every resource of a stack as the body of its ARM request; nothing needs to be up
	$(TOOLCHAIN) run local.commands.arm "$(or $(STACK),$(error say which: make arm STACK=prod))"

reachability: ## STACK=name: who in a stack reaches whom; prod is held to stacks/reachability.yaml
	$(TOOLCHAIN) run local.commands.reachability "$(or $(STACK),$(error say which: make reachability STACK=prod))" \
		$(if $(filter prod,$(STACK)),--table stacks/reachability.yaml)

diagram: ## STACK=name: draw a stack, docs/pictures/architecture.svg for prod; ARGS="--to FILE" for another place
	$(TOOLCHAIN) run local.commands.diagram "$(or $(STACK),prod)" $(ARGS)

test: ## lint, types and every test that protects behaviour
	$(TOOLCHAIN) --for tests run local.commands.test $(ARGS)

test-full: ## slow sweeps: faults, fuzzing, large data
	$(TOOLCHAIN) --for tests run local.commands.test --full $(ARGS)

.PHONY: evidence
evidence: ## STACK=name: what an auditor is handed, into build/evidence; FROM=state for a deployed one, STATE_FILE=export
	$(TOOLCHAIN) run local.commands.evidence --stack "$(STACK)" --from "$(or $(FROM),preview)" \
		$(if $(STATE_FILE),--state-file "$(STATE_FILE)") $(if $(CONFIG),--config "$(CONFIG)") $(if $(OUT),--out "$(OUT)")

.PHONY: mutation
mutation: ## breaks one property of the prod stack at a time; lists which policies noticed
	$(TOOLCHAIN) run tests.policies.mutation

.PHONY: verify-azure
verify-azure: ## STACK=name: deploy to a subscription, record, hold the embedded Azure to it; docs/verify-azure.md
	$(TOOLCHAIN) --for tests run tests.verification "$(or $(STACK),$(error say which: make verify-azure STACK=dev))" $(ARGS)

.PHONY: bench-broker
bench-broker: ## the Service Bus broker: events a second, time to the handler, memory; ARGS="--rate 200 --seconds 20"
	$(TOOLCHAIN) --only python run tests.bench.servicebus $(ARGS)

.PHONY: bench-backend
bench-backend: ## what the back end promises, part by part; ARGS="--only listing --rows 100000 --json figures.json"
	$(TOOLCHAIN) --for tests run tests.bench.backend $(ARGS)

.PHONY: bench-preview
bench-preview: ## what a preview of prod costs, against bare-SDK programs and with policies; ARGS="--runs 3 --json"
	$(TOOLCHAIN) --for tests run tests.bench.preview $(ARGS)

.PHONY: bench-deploy
bench-deploy: ## how long prod's first deployment takes, against the longest chain that Azure demands; ARGS="--factor 0.2"
	$(TOOLCHAIN) --for tests run tests.bench.deploy $(ARGS)

.PHONY: pages
pages: ## write every page and picture anew that is made from code; make test says when one is out of date
	$(TOOLCHAIN) run components.pages
	$(TOOLCHAIN) --only python run policies.constraints.page
	$(TOOLCHAIN) --only python run policies.catalogue
	$(TOOLCHAIN) --only python run workloads.api_documents
	$(TOOLCHAIN) --only python run workloads.bank_document
	$(TOOLCHAIN) --only python run workloads.tsql
	$(TOOLCHAIN) run local.commands.diagram prod

lint: ## ruff and pyrefly alone
	$(TOOLCHAIN) --only python run local.commands.test --lint

constraints: ## pin every package anew (constraints.txt), after a change of a requirements.txt
	$(TOOLCHAIN) --only constraints
