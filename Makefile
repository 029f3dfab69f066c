# Haven: everything a person types. `make help` lists it.

# The data folder of `make run`, beside the checkout's files and never in git.
DATA ?= ./data

.DEFAULT_GOAL := help
.PHONY: help run build web web-dev openapi test bench bench-data bench-portal pictures lint conformance fuzz compilers

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build Haven and serve it on http://127.0.0.1:8080, with its data in ./data
	@HAVEN_DATA_DIR="$${HAVEN_DATA_DIR:-$(DATA)}" target/release/haven serve

build: compilers web ## Build the release binary with its portal, target/release/haven
	cargo build --release --locked --package haven

web: ## Build the portal, for the binary's build to find
	tests/portal build

web-dev: web ## Serve the portal with hot reload, for the server at HAVEN_URL
	cd web && npm run dev

openapi: compilers ## Write the OpenAPI document that the portal's client is made from
	HAVEN_WRITE_OPENAPI=1 cargo test --locked --package haven-http --test http the_portals_document

test: compilers ## Run every test, with the servers and clients that the tests need
	tests/run

bench: compilers ## Measure Haven beside its peers; the table is in bench/README.md
	bench/run

bench-data: compilers ## Make a Haven with SIZE artifacts (1000000) in target/bench-data
	cargo build --release -p haven -p haven-bench
	target/release/haven-bench data --size $(or $(SIZE),1000000)

bench-portal: ## Measure the portal's lists with what bench-data made behind them
	cd web && npm run figures

pictures: ## Take the pictures of the README anew, with target/release/haven
	cd web && HAVEN_BIN=$${HAVEN_BIN:-../target/release/haven} npm run pictures

lint: compilers ## Check formatting and lints; a warning is an error
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

conformance: compilers ## Run the conformance suite of the OCI distribution specification
	tests/conformance

fuzz: compilers ## Fuzz for a short while everything that is parsed from outside
	fuzz/run

# The binary is Rust, but SQLite and the cryptography in it are C.
compilers:
	@command -v cargo >/dev/null || { \
		echo "Haven is built with Rust, and cargo is not installed: see https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null || { \
		echo "Haven needs a C compiler. On Debian: apt-get install build-essential" >&2; exit 1; }
