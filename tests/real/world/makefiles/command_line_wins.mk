# make A=9 B=9
A = 1
override B = 2
all:
	echo $(A) $(B)
