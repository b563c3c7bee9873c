# make
all:
	@echo $(sort $(wildcard in*.txt nope))
