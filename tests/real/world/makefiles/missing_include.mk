# make
include nope.mk
all:
	@echo x
