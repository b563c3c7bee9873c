"""Images on the move: one room for each medium. No room knows a store but through ``builder.protocols``."""
