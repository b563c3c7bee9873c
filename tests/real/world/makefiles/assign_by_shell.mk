# make
A != echo hi
all:
	@echo $(A)
