# make -i
all:
	false
	echo on
