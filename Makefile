# berth: see README.md. Every target works from a fresh clone.

BUILD        := go build -trimpath -tags grpcnotrace -ldflags "-s -w"
INIT_SOURCES := $(wildcard init/*.c)
DRIVERS      := $(patsubst drivers/%/main.go,%,$(wildcard drivers/*/main.go))
PROBE        := sdk/drivertest/internal/carried/program/berth-probe
PREFIX       ?= /usr/local
LIBEXEC      := $(DESTDIR)$(PREFIX)/libexec/berth

export CGO_ENABLED = 0

.DEFAULT_GOAL := build
.PHONY: help build install demo test campaign bench generate clean
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

build: bin/berth-init ## build every program into bin/
	$(BUILD) -buildvcs=false -o $(PROBE) ./sdk/drivertest/probe
	$(BUILD) -o bin/berth ./host
	ln -sf berth bin/berth-oci
	$(foreach d,$(DRIVERS),$(BUILD) -o bin/berth-driver-$(d) ./drivers/$(d) && ):

bin/berth-init: $(INIT_SOURCES) init/berth-init.h
	mkdir -p bin
	$(CC) -std=c11 -Os -static -Wall -Wextra -Werror -o $@ $(INIT_SOURCES)

install: build ## install below PREFIX, as root
	install -D -m 755 bin/berth $(DESTDIR)$(PREFIX)/bin/berth
	ln -sf berth $(DESTDIR)$(PREFIX)/bin/berth-oci
	install -D -m 755 bin/berth-init $(LIBEXEC)/berth-init
	install -d -m 755 $(LIBEXEC)/drivers
	install -m 755 $(addprefix bin/berth-driver-,$(DRIVERS)) $(LIBEXEC)/drivers

demo: ## install what is missing, build, and run a container
	examples/demo

test: ## run every test, as root, as an ordinary user, and under a real Slurm: RUN=TestName PKG=./drivers/crun for a part
	@test/run run $(if $(RUN),-run '$(RUN)') $(PKG)

campaign: ## run the long tests: storms, random kills, all releases of Slurm, fuzzing: SEED=1 ROUNDS=100 DURATION=1h
	@test/run campaign $(if $(SEED),-seed $(SEED)) $(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(DURATION),-duration $(DURATION))

bench: ## measure against the bare runtimes, and under Slurm against its guide
	test/setup
	test/stage test/bench/run $(BENCH)

generate: ## regenerate the protobuf (needs protoc and its two Go plugins)
	protoc --go_out=. --go_opt=module=github.com/berth-hpc/berth \
		--go-grpc_out=. --go-grpc_opt=module=github.com/berth-hpc/berth \
		sdk/internal/wire/driverv1/driver.proto

clean: ## remove what was built
	rm -rf bin $(PROBE)
