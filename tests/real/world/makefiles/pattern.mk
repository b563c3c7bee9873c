# make
all: in1.o in2.o
	@echo $^
%.o: %.txt
	echo $* $< $@
	touch $@
