# make b
a:
	echo a
