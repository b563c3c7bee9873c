# make
export A = exported
B = not
all:
	@echo $$A [$$B]
