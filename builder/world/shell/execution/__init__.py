"""Running the trees of commands (POSIX XCU 2.7, 2.9, 2.12)."""
