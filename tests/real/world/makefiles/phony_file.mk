# make
.PHONY: in1.txt
in1.txt:
	@echo remade
