# make
a_b = deep
N = b
all:
	@echo $(a_$(N)) $($(addprefix a_,b))
