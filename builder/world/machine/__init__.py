"""The machine that a simulated RUN sees: processes, descriptors, pipes, devices, ports and turns."""
