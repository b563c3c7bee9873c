"""The probes: small functions of ordinary file handling, each of which returns what is compared."""
