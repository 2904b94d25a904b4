# SPDX-License-Identifier: GPL-2.0-only
#
# What each program on VFs is linked with: the harness, what test programs share
# and the library. Needs CC and CFLAGS, and BUILD, where everything is built.

HARNESS := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
TESTS := $(HARNESS)/../../lib
LIB := $(HARNESS)/../../../lib
WARN := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes
HARNESS_CFLAGS := $(CFLAGS) -std=gnu11 $(WARN) -pthread \
	-I$(LIB) -I$(TESTS) -I$(HARNESS)
HARNESS_HDR := $(wildcard $(LIB)/*.h $(TESTS)/*.h $(HARNESS)/*.h)
HARNESS_OBJ := $(patsubst $(LIB)/%.c,$(BUILD)/lib/%.o,$(wildcard $(LIB)/*.c)) \
	$(patsubst $(TESTS)/%.c,$(BUILD)/tests/%.o,$(wildcard $(TESTS)/*.c)) \
	$(patsubst $(HARNESS)/%.c,$(BUILD)/harness/%.o,$(wildcard $(HARNESS)/*.c))

$(BUILD)/lib/%.o: $(LIB)/%.c $(HARNESS_HDR)
	@mkdir -p $(@D)
	$(CC) $(HARNESS_CFLAGS) -c -o $@ $<

$(BUILD)/tests/%.o: $(TESTS)/%.c $(HARNESS_HDR)
	@mkdir -p $(@D)
	$(CC) $(HARNESS_CFLAGS) -c -o $@ $<

$(BUILD)/harness/%.o: $(HARNESS)/%.c $(HARNESS_HDR)
	@mkdir -p $(@D)
	$(CC) $(HARNESS_CFLAGS) -c -o $@ $<
