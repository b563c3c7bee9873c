# make
include in3.mk
all:
	@echo $(INCLUDED)
