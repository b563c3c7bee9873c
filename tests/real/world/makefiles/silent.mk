# make -s
all:
	echo hi
