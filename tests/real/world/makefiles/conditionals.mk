# make
A = 1
ifeq ($(A),1)
X = one
else
X = other
endif
ifdef A
Y = set
endif
ifneq ($(A),1)
Z = no
else ifeq ($(A),1)
Z = chained
endif
ifndef Q
W = undefined
endif
all:
	@echo $(X) $(Y) $(Z) $(W)
