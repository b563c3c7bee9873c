# make
all: ; @echo one line
