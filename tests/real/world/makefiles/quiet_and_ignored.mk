# make
all:
	@echo quiet
	-false
	@-exit 3
	echo end
