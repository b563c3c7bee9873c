# make
all:
	echo hello
other:
	echo no
