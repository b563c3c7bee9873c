# make -n
all: x
x:
	touch x
