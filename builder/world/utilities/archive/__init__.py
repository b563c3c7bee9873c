"""tar, gzip, bzip2, xz and unzip."""
