# make
a: b
a: c
	@echo $^
b c:
	@echo $@
