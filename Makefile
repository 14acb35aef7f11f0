# balance-sync: what can be done here. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MODULES := $(shell awk '$$1 ~ /^\.\// {print substr($$1, 3)}' go.work)
GO := go
# Arguments of `make dev`, the benches and `make mutants`: make dev ARGS="--wallets 1000 --until-synced -o json"
ARGS ?=
FUZZTIME ?= 90s

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: dev
dev: ## the whole pipeline on this machine: Postgres, NATS, two EVM chains and a TRON chain, all services
	@$(GO) build -o bin/balsync-dev ./cmd/balsync-dev
	@bin/balsync-dev $(ARGS)

.PHONY: build
build: ## every binary, into bin/
	$(GO) build -o bin/ ./cmd/balsync ./cmd/balsync-dev ./services/claimer/cmd/claimer ./services/fetcher-evm/cmd/fetcher-evm ./services/fetcher-tron/cmd/fetcher-tron ./services/writer/cmd/writer

.PHONY: test
test: ## all tests, with the race detector, against one private Postgres
	@$(GO) build -o bin/testenv ./devkit/cmd/testenv
	bin/testenv -- $(GO) test -race -count=1 work
	$(GO) test -count=1 ./services/fetcher-evm # the tests marked !race: contracts that burn gas take ten times as long under the detector

.PHONY: check
check: static test ## what CI runs: the static part, then the tests

.PHONY: static
static: bin/staticcheck ## gofmt, vet, staticcheck, house rules, tidy, each module alone
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet work
	bin/staticcheck work
	$(GO) test -count=1 ./devkit/house
	@for m in $(MODULES); do echo "alone: $$m"; (cd $$m && GOWORK=off $(GO) mod tidy -diff && GOWORK=off $(GO) build -o /dev/null ./...); done
	cd tools && GOWORK=off $(GO) mod tidy -diff

bin/staticcheck: tools/go.mod tools/go.sum
	cd tools && GOWORK=off $(GO) build -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck

.PHONY: mutants
mutants: ## disable each guard in turn: every one must turn its test red
	@$(GO) build -o bin/testenv ./devkit/cmd/testenv
	@$(GO) build -o bin/mutants ./devkit/cmd/mutants
	@bin/testenv -- bin/mutants $(ARGS)

.PHONY: fuzz
fuzz: ## every fuzz test for a while, ten minutes in all (FUZZTIME=90s each); `make test` runs their seeds
	@grep -rhoE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz\w+' services shared | awk '{print $$2}' | sort -u | while read -r name; do \
	  dir=$$(dirname "$$(grep -rlE --include='*_test.go' "^func $$name\(" services shared)"); echo "$$dir $$name"; \
	  $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "./$$dir"; done

.PHONY: bench-db
bench-db: ## rows/s of claim + apply on 1M rows, beside one row at a time
	@$(GO) build -o bin/bench-db ./bench/cmd/bench-db
	@bin/bench-db $(ARGS)

.PHONY: bench-evm
bench-evm: ## balances/s of each way to read an EVM chain, on geth and anvil, with and without a round trip's delay
	@$(GO) build -o bin/bench-evm ./bench/cmd/bench-evm
	@bin/bench-evm $(ARGS)

.PHONY: bench-tron
bench-tron: ## balances/s of each way to read a TRON chain, with and without a round trip's delay, and at a request budget
	@$(GO) build -o bin/bench-tron ./bench/cmd/bench-tron
	@bin/bench-tron $(ARGS)

.PHONY: tidy
tidy: ## bring every go.mod and go.sum up to date
	$(GO) work sync
	@for m in $(MODULES) tools; do (cd $$m && GOWORK=off $(GO) mod tidy); done

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
