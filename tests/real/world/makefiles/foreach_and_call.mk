# make
rev = $(2) $(1)
all:
	@echo $(foreach x,a b,[$(x)]) $(call rev,1,2) $(if a,yes,no) $(if ,yes,no) $(or ,b) $(and a,) $(strip  a   b ) $(findstring b,abc) $(origin CC) $(origin rev) $(wordlist 2,3,a b c)
