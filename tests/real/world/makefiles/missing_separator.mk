# make
all:
        echo x
