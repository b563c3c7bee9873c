# Cleans at the start of the RUN, before there is anything to clean.
FROM debian:bookworm-slim
RUN rm -rf /var/lib/apt/lists/* && apt-get update && apt-get install -y --no-install-recommends curl
RUN rm -f /tmp/tally.tar.gz && mkdir -p /opt/tally && curl -fsSL -o /tmp/tally.tar.gz https://downloads.example.org/tally/tally-0.3.tar.gz && tar -xzf /tmp/tally.tar.gz -C /opt/tally --strip-components=1
COPY app.conf /etc/app.conf
CMD ["cat", "/etc/app.conf"]
