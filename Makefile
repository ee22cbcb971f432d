# Two commands matter: `make run` and `make test`.

CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)
export CARGO_TARGET_DIR ?= $(CACHE)/headsculpt/target
BIN := $(CARGO_TARGET_DIR)/debug/headsculpt

PROMPT ?= a smiling man with a red beard
SEED ?= 1
OUT ?= runs/$(shell date +%Y%m%d-%H%M%S)

.PHONY: run build test fmt clippy unit smoke bench train-embedded

## One command from a clone to a head: make run PROMPT="a bald man with green skin"
run: build
	tools/ensure_vulkan.sh $(BIN)
	$(BIN) generate "$(PROMPT)" --seed $(SEED) -o "$(OUT)"

build:
	tools/ensure_compiler.sh
	cargo build --locked

## Everything that must hold before a change lands.
test: build
	tools/ensure_vulkan.sh $(BIN)
	$(MAKE) fmt clippy unit smoke

fmt:
	cargo fmt --check

clippy:
	cargo clippy --locked --all-targets -- -D warnings

unit:
	cargo test --locked

## One real, shortened generation with the profile that the tests built.
smoke:
	tools/smoke.sh $(BIN)

bench: build
	$(BIN) bench

## Renders the data set, trains the embedded model and exports its folder.
train-embedded: build
	tools/train_embedded/train.sh
