# make
$(info note)
all:
	@echo x
