"""What a simulated RUN can see: a shell, programs, base images, and an internet of a few hosts."""
