# make
all: missing
	echo x
