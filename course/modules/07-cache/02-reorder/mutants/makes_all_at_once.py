"""Believes that fewer layers are faster: one RUN makes the library and the app."""


def answer(question, right):
    both = "RUN make -C /src/lib && make -C /src/app"
    rest = [line for line in right[5:] if line != "RUN make -C /src/app"]
    app = "COPY app/ /src/app/"
    rest = [line for line in rest if line != app]
    return [*right[:4], app, both, *rest]
