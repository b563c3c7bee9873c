foo main(void) { return 0; }
