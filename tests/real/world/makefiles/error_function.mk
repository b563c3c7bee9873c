# make
$(error stop here)
all:
	echo x
