# make
define lines
@echo one
@echo two
endef
all:
	$(lines)
