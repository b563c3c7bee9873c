# make -s SHELL=/bin/echo
L = b a c a
all:
	echo $(sort $(L)) $(filter a%,$(L)) $(filter-out a,$(L)) $(words $(L)) $(word 2,$(L)) $(firstword $(L)) $(lastword $(L)) $(subst a,x,$(L)) $(patsubst %,<%>,$(L))
