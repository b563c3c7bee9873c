"""Where blobs, names and cache records live: in memory, or as an OCI image layout on disk."""
