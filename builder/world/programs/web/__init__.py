"""The simulated web server: configuration, sites and the programs that start it."""
