"""The OCI distribution protocol: a client that trusts nobody, and a small server.

OCI distribution-spec 1.1 (``spec.md``); tokens as the distribution project's ``docs/spec/auth`` has them.
"""
