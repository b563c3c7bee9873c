# make
all:
