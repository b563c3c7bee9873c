# make
F = src/a.c lib/b.tar.gz c
all:
	@echo $(dir $(F)) $(notdir $(F)) $(basename $(F)) $(suffix $(F)) $(addprefix p/,$(F)) $(addsuffix .x,$(F)) $(join a b,1 2 3)
