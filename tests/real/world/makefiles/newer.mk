# make old
old: in1.txt
	@echo new: $?
	@touch old
