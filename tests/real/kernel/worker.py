"""The process that drives the kernel for the directed tests; it speaks pickles on its standard streams."""

from differential.bench import serve

if __name__ == "__main__":
    serve()
