# make
.DELETE_ON_ERROR:
x:
	@echo a > x; false
