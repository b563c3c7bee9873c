"""What is questionable about a Dockerfile that can be built; the rules are data."""
