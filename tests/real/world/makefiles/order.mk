# make -j1 -s
all: c a b
a b c:
	@echo $@
