# make all
.PHONY: all
all:
	@echo again
