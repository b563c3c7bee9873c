# make
out: a b a | c
	echo $@ : $< : $^ : $+ : $| : $(@F)
a b c:
	touch $@
