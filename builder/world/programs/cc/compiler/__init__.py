"""The compiler proper: tokens in, functions on the machine out."""
