FROM debian:bookworm-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends curl \
 && rm -rf /var/lib/apt/lists/*

RUN curl -fsSL -o /tmp/tally.tar.gz https://downloads.example.org/tally/tally-0.3.tar.gz \
 && mkdir -p /opt/tally \
 && tar -xzf /tmp/tally.tar.gz -C /opt/tally --strip-components=1 \
 && rm /tmp/tally.tar.gz

COPY app.conf /etc/app.conf
CMD ["cat", "/etc/app.conf"]
