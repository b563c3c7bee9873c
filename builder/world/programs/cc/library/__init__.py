"""What compiled programs can call: the C library and its neighbours."""
