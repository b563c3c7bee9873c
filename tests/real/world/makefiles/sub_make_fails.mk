# make
all:
	@$(MAKE) -s --no-print-directory -f in4.mk bad
