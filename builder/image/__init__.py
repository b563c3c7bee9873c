"""The nouns and bytes of an image: digests, documents, references, and what its layers hold."""
