# make -q
x:
	touch x
