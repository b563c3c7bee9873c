# make -f nope
