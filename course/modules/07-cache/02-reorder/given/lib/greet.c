int greeting(void) { return 42; }
