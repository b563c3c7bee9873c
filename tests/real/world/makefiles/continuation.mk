# make
A = a \
  b \
  c
all:
	@echo $(A) \
	  d
