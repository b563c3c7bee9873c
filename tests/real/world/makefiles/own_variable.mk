# make a b
X = global
a: X = own
a:
	@echo $(X)
b:
	@echo $(X)
