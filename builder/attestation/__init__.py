"""What an image says of itself: where it came from (SLSA) and what it holds (SPDX), as in-toto statements."""
