"""Text → instructions: lexer, heredocs, grammar, and the instructions as frozen nouns."""
