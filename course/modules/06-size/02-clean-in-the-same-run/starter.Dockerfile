FROM debian:bookworm-slim

RUN apt-get update
RUN apt-get install -y --no-install-recommends curl
RUN rm -rf /var/lib/apt/lists/*

RUN curl -fsSL -o /tmp/tally.tar.gz https://downloads.example.org/tally/tally-0.3.tar.gz
RUN mkdir -p /opt/tally
RUN tar -xzf /tmp/tally.tar.gz -C /opt/tally --strip-components=1
RUN rm /tmp/tally.tar.gz

COPY app.conf /etc/app.conf
CMD ["cat", "/etc/app.conf"]
