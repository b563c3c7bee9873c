"""What becomes of words (POSIX XCU 2.6), and the variables in them."""
