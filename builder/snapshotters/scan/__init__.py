"""Finding changes by looking at everything: one root, scanned before and after, as Kaniko does."""
