# make
all: a
a: ;
