# make -j4 -s
all: c a b
a b c:
	@echo $@
