# make
O = a.o b.o
all: $(O)
$(O): %.o: %.c
	echo $< $*
a.c b.c:
	touch $@
