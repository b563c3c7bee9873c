# make
A = $(B)
C := $(B)
B = 1
all:
	echo $(A) [$(C)] ${B}
