def answer(question):
    comment = next(line for line in question.given["lines"] if line.startswith("#"))
    often = {word.split("/")[0]: int(word.split()[-1]) for word in comment.partition(": ")[2].split(", ")}
    app = ["COPY app/ /src/app/", "RUN make -C /src/app"]
    site = ["COPY site/ /src/site/", "RUN cat /src/site/*.html > /src/site.html"]
    # Putting one first, its edits cost the other one too: 13 seconds for the app, 9 for the site.
    rest = [*app, *site] if often["app"] * 9 < often["site"] * 13 else [*site, *app]
    return [
        comment,
        "FROM alpine:3.19",
        "RUN apk add --no-cache gcc make musl-dev",
        "COPY lib/ /src/lib/",
        "RUN make -C /src/lib",
        *rest,
        'CMD ["/usr/local/bin/app"]',
    ]
