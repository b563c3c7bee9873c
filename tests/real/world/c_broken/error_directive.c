#error stop
int main(void) { return 0; }
