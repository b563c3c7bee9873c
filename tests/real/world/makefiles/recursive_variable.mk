# make
A = $(A)
all:
	echo $(A)
