"""What the simulated world is furnished with: base images, packages, sites and headers, described in text."""
