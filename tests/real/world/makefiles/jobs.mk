# make -j 1 second -l 2
first:
	@echo first
second:
	@echo second
