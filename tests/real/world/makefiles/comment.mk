# make
# c
A = 1 # one
all: # t
	@echo [$(A)] # shell comment
