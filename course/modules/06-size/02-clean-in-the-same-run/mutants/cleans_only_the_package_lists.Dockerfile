# Knows the idiom for apt by heart, and not why: the archive is removed by another instruction.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
RUN mkdir -p /opt/tally && curl -fsSL -o /tmp/tally.tar.gz https://downloads.example.org/tally/tally-0.3.tar.gz
RUN tar -xzf /tmp/tally.tar.gz -C /opt/tally --strip-components=1 && rm /tmp/tally.tar.gz
COPY app.conf /etc/app.conf
CMD ["cat", "/etc/app.conf"]
