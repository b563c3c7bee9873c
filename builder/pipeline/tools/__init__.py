"""The programs that build and fetch in a pipeline's steps, as far as pipelines use them."""
