# make
.SUFFIXES: .in .out
all: a.out
.in.out:
	cp $< $@
a.in:
	echo x > $@
