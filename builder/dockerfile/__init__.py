"""A Dockerfile: text → instructions → stages, and what is questionable about them. Pure."""
