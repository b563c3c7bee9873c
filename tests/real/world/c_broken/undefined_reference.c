int other(int); int main(void) { return other(1); }
