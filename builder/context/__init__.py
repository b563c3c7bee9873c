"""What COPY may see, and which edits it makes."""
