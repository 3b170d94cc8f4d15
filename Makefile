# nnc: neural networks written as formulas, compiled to C.  `make help` lists the targets.

VERSION = 0.1.0
MODE    = release
BUILD   = build/$(MODE)
PREFIX  = /usr/local

SANITIZE = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_release  = -O2
FLAGS_debug    = -O0 -g -DNNC_VERIFY
FLAGS_asan     = $(SANITIZE) -DNNC_VERIFY
FLAGS_coverage = -O0 -g --coverage -DNNC_VERIFY -Dalways_inline=# an inlined copy of a branch is no other branch
FLAGS_hostile  = $(SANITIZE) -DNNC_VERIFY -DNNC_HOSTILE
MODE_FLAGS    := $(or $(FLAGS_$(MODE)),$(error MODE is release, debug, asan, coverage or hostile))

WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
COMPILE  = $(CC) -std=c11 $(WARNINGS) -ffp-contract=off -D_POSIX_C_SOURCE=200809L \
           -DNNC_VERSION='"$(VERSION)"' -Icompiler -Iruntime/core -I$(BUILD)/generated \
           $(MODE_FLAGS) $(CPPFLAGS) $(CFLAGS)
LINK     = $(CC) $(MODE_FLAGS) $(CFLAGS) $(LDFLAGS)
say      = $(if $(V),,@echo '  $(1)' &&)#               V=1 prints the commands instead

# All cores unless the user chose a number. Output comes as it is written: tests and measurements take minutes.
JOBS      := $(if $(filter 0,$(MAKELEVEL)$(filter -j%,$(MAKEFLAGS))),-j$(shell nproc))
MAKEFLAGS += --no-builtin-rules $(JOBS)

GENERATED = $(BUILD)/generated
SOURCES   = $(sort $(wildcard compiler/*.c compiler/*/*.c))
OBJECTS   = $(SOURCES:%.c=$(BUILD)/%.o) $(GENERATED)/embedded.o $(GRAMMAR:%.c=%.o)
GRAMMAR   = $(if $(wildcard grammars/nn.y),$(GENERATED)/nn.tab.c $(GENERATED)/nn.lex.c)
RUNTIME   = $(sort $(wildcard runtime/core/*.c))
PARTS     = $(filter-out $(BUILD)/compiler/main.o,$(OBJECTS)) $(BUILD)/libnnrt.a
UNITS     = $(sort $(wildcard tests/unit/*.c))
TOOLS     = $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(sort $(wildcard tests/tools/*.c))) $(BUILD)/tools/ulp
ULP       = $(filter-out tests/ulp/functions.c,$(wildcard tests/ulp/*.c))
FUZZERS   = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/fuzz/*.c)))
HAND      = $(sort $(wildcard $(addsuffix /*.[ch],compiler compiler/* runtime/* tests/* examples/* learn bench/*)))

all: $(BUILD)/nnc $(BUILD)/libnnrt.a                  ## the compiler and the runtime library

$(BUILD)/nnc: $(OBJECTS)
	$(call say,link $@) $(LINK) -o $@ $^ -ljansson -lyaml -lm
$(BUILD)/libnnrt.a: $(RUNTIME:%.c=$(BUILD)/%.o)
	$(call say,ar $@) $(AR) rcsD $@.new $^ && mv $@.new $@
$(BUILD)/%.o: %.c $(BUILD)/flags | $(GRAMMAR)
	@mkdir -p $(@D)
	$(call say,cc $<) $(COMPILE) -MMD -MP -c -o $@ $<

# Flex and Bison write conversions that -Wconversion reports; nothing else is switched off.
$(GENERATED)/%.o: $(GENERATED)/%.c $(BUILD)/flags | $(GRAMMAR)
	$(call say,cc $<) $(COMPILE) -Wno-conversion -Wno-sign-compare -MMD -MP -c -o $@ $<

$(GENERATED)/nn.tab.c $(GENERATED)/nn.tab.h &: grammars/nn.y | $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,bison $<) bison -Wall -Werror --header=$(GENERATED)/nn.tab.h -o $(GENERATED)/nn.tab.c $<
$(GENERATED)/nn.lex.c: grammars/nn.l | $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,flex $<) flex -o $@ $<

LIBRARY = $(sort $(wildcard library/*.nn))
TARGETS = $(sort $(wildcard compiler/emit/targets/*.yaml))
CORE    = $(sort $(wildcard runtime/core/*.[ch]))
$(GENERATED)/embedded.c: $(LIBRARY) $(CORE) $(TARGETS) docs/errors.md library/embed library runtime/core
	@mkdir -p $(@D); { echo '#include "support/library.h"'; library/embed library $(LIBRARY); \
	  library/embed runtime $(CORE); library/embed target $(TARGETS); library/embed explanation docs/errors.md; } > $@

# Objects depend on the command that makes them: another CC or CFLAGS rebuilds.
$(BUILD)/flags: FORCE | build/packages-build
	@mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(COMPILE))' > $@.new; cmp -s $@.new $@ || cp $@.new $@

build/packages-check: | build/packages-build
build/packages-build build/packages-check: build/packages-%: .ci/packages
	@.ci/packages $* && mkdir -p build && touch $@

TESTS = NNC_BUILD='$(abspath $(BUILD))' NNC_MODE=$(MODE) CC='$(CC)' NNC_CFLAGS='$(MODE_FLAGS)' tests/run
check: $(BUILD)/prefix $(BUILD)/unit-tests $(TOOLS)    ## build and run every test
	@$(TESTS) $(ONLY)
check-update: $(BUILD)/prefix                            ## rewrite expected outputs; review the diff
	@$(TESTS) --update $(ONLY)
fuzz: $(BUILD)/prefix $(TOOLS)                        ## the randomised tests, 20 times as long
	@NNC_ROUNDS=20 $(TESTS) fuzz
fuzz-models: $(BUILD)/prefix $(TOOLS)                 ## N random models (10000) from SEED on (1); KEEP=FILE resumes
	@$(TESTS) --run tests/fuzz/models/test_random_models.py $(or $(N),10000) $(SEED) $(KEEP:%=--keep=%)
ulp: $(BUILD)/tools/ulp                               ## an hour or more: errors at all floats, or each STRIDE-th; KEEP=FILE resumes
	@NNC_BUILD='$(abspath $(BUILD))' tests/ulp/test_ulp.py $(or $(STRIDE),1) $(KEEP:%=--keep=%)
seeded-bugs: $(BUILD)/prefix $(TOOLS)                 ## tests/fuzz/seeded: each found by N models (1000)?
	@NNC_BUILD='$(abspath $(BUILD))' tests/fuzz/seeded/test_seeded_bugs.py $(or $(N),1000) $(BUGS)

$(BUILD)/prefix: all FORCE                              # the package as its users have it
	@$(MAKE) -s install DESTDIR= PREFIX='$(abspath $@)'
$(UNITS:%.c=$(BUILD)/%.o) $(ULP:%.c=$(BUILD)/%.o) $(TOOLS): | build/packages-check

$(BUILD)/unit-tests: $(UNITS:%.c=$(BUILD)/%.o) $(PARTS)
	$(call say,link $@) $(LINK) -o $@ $^ -lcriterion -ljansson -lyaml -lm
$(BUILD)/tools/%: $(BUILD)/tests/tools/%.o $(FUZZERS) $(PARTS)
	@mkdir -p $(@D)
	$(call say,link $@) $(LINK) -o $@ $^ -ljansson -lyaml $(LIBRARIES) -lm
# What make ulp runs: tests/ulp/functions.c in both profiles, in vectors and one number at a time.
FORMS = $(foreach profile,plain fused,$(profile)_vectors $(profile)_single)
FAST  = $(if $(filter release,$(MODE)),-O3 -march=native)
$(BUILD)/tests/ulp/functions_%.o: tests/ulp/functions.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,cc $< $*) $(COMPILE) $(FAST) $(if $(findstring fused,$*),-DNNRT_FMA=1) -DFORM=functions_$* \
	  $(if $(findstring single,$*),-fno-tree-vectorize -fno-tree-slp-vectorize) -MMD -MP -c -o $@ $<
$(BUILD)/tests/ulp/%.o: COMPILE += $(FAST) -fno-math-errno -fno-trapping-math
$(BUILD)/tools/ulp: $(ULP:%.c=$(BUILD)/%.o) $(FORMS:%=$(BUILD)/tests/ulp/functions_%.o)
	@mkdir -p $(@D)
	$(call say,link $@) $(LINK) -o $@ $^ -lmpfr -lgmp -lm
$(BUILD)/tools/random_models: LIBRARIES = -Wl,--wrap=invert
coverage: | build/packages-check                      ## lines (95 %) and branches (90) of hand-written code
	$(MAKE) MODE=coverage check
	gcovr -r . --filter compiler/ --filter runtime/ --exclude-lines-by-pattern '.*\bbug\(.*' --branches \
	  --exclude-branches-by-pattern '.*\bbug\(.*' -s --fail-under-line 95 --fail-under-branch 90 build/coverage
define PROGRAM
@mkdir -p $(@D)
$(BUILD)/nnc $(TARGET) $(<D)/$(@F).nn -o $@.c
$(CC) -O3 -march=native -Iruntime/core -I$(@D) -o $@ $(filter %.c,$^) $@.c -L$(BUILD) -lnnrt -lm \
  $(LIBRARIES) $(filter -fsanitize%,$(MODE_FLAGS))
endef
$(BUILD)/examples/images $(BUILD)/learn/%: LIBRARIES = -lz
$(BUILD)/examples/%: examples/%/main.c all; $(PROGRAM)
$(BUILD)/learn/%: TARGET = --target=native
$(BUILD)/learn/%: learn/%.c learn/learn.c learn/data.c all; $(PROGRAM)

examples: $(patsubst examples/%/main.c,$(BUILD)/examples/%,$(wildcard examples/*/main.c)) ## all, into build/MODE/examples
demo: $(BUILD)/examples/digits                        ## train examples/digits and print its accuracy
	cd examples/digits && $(abspath $<)
TASKS = $(patsubst %.nn,$(BUILD)/%,$(sort $(wildcard learn/*.nn)))
learn: $(if $(ONLY),$(BUILD)/learn/$(ONLY),$(TASKS))  ## minutes to an hour: known results, by SEED
	@status=0; for task in $^; do $$task $(SEED) || status=1; done; exit $$status
same-bits: all                                        ## minutes: models of bench/ by all compilers, levels, vectors, threads
	@NNC='$(abspath $(BUILD)/nnc)' tests/emit/reference_bits.py $(ONLY)
BENCH = NNC_BUILD='$(abspath $(BUILD))' bench
bench: all                                            ## minutes: times beside those of peers; ONLY=SECTION, ARGS
	@$(BENCH)/run $(ONLY:%=--only %) $(ARGS)
bench-plots: all                                      ## growth of compile time, C and step time; needs gnuplot
	@$(BENCH)/growth $(ONLY:%=--only %) $(ARGS)
lint: examples $(TASKS) | $(BUILD)/flags              ## lengths, layout and clang-tidy
	tests/tools/lengths $(HAND)
	clang-format --dry-run --Werror $(HAND)
	clang-tidy --quiet $(filter %.c,$(HAND)) -- $(wordlist 2,99,$(COMPILE)) -I$(BUILD)/examples -I$(BUILD)/learn
format:                                               ## lay out the hand-written C
	clang-format -i $(HAND)

install: all                                          ## into $(DESTDIR)$(PREFIX)
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin include lib/pkgconfig share/nnc/library share/doc/nnc)
	install $(BUILD)/nnc $(DESTDIR)$(PREFIX)/bin
	install -m 644 runtime/core/nnrt*.h $(DESTDIR)$(PREFIX)/include
	install -m 644 $(BUILD)/libnnrt.a $(DESTDIR)$(PREFIX)/lib
	install -m 644 library/*.nn $(DESTDIR)$(PREFIX)/share/nnc/library
	install -m 644 LICENSE $(wildcard README.md docs/*.md) $(DESTDIR)$(PREFIX)/share/doc/nnc
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' nnc.pc.in \
	  > $(DESTDIR)$(PREFIX)/lib/pkgconfig/nnc.pc
uninstall:                                            ## what install wrote
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/nnc lib/libnnrt.a lib/pkgconfig/nnc.pc \
	  $(patsubst runtime/core/%,include/%,$(wildcard runtime/core/nnrt*.h)))
	rm -rf $(DESTDIR)$(PREFIX)/share/nnc $(DESTDIR)$(PREFIX)/share/doc/nnc

dist:                                                 ## nnc-VERSION.tar.gz of the last commit
	git archive --prefix=nnc-$(VERSION)/ -o nnc-$(VERSION).tar.gz HEAD
clean:                                                ## everything generated
	rm -rf build

help:                                                 ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 16
	@echo 'MODE=release|debug|asan|coverage|hostile, V=1, CC, CFLAGS, PREFIX, DESTDIR, ONLY=NAME (of a test or task)'

.PHONY: all bench bench-plots check check-update fuzz fuzz-models ulp seeded-bugs same-bits coverage examples learn demo lint format install uninstall dist clean help FORCE
.DELETE_ON_ERROR .SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
