# make
A ?= 1
B = 2
B ?= 3
all:
	echo $(A) $(B)
