# make -B x
x: in1.txt
	touch x
