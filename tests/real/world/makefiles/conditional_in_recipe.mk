# make
A=
all:
	@echo a
ifdef A
	@echo b
else
	@echo c
endif
	@echo d
