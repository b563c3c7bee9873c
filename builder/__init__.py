"""A builder of container images: Dockerfile to OCI image."""
