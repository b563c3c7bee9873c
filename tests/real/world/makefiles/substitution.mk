# make
S = a.c b.c d.h
all:
	echo $(S:.c=.o) $(S:%.c=o/%.o)
