# make
A = 1
A += 2
B := x
B += $(A)
A += 3
all:
	echo $(A) / $(B)
