# make
all:
	@x=abc; echo $${x%c}
