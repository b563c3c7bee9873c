# make
all:
	$(MAKE) -f in4.mk X=2
