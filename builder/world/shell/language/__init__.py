"""The language of the shells: text in, trees of commands out (POSIX XCU 2.2 to 2.4, 2.10)."""
