# Believes that rm frees bytes wherever it stands: two instructions each, the second cleans.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl
RUN rm -rf /var/lib/apt/lists/*
RUN mkdir -p /opt/tally && curl -fsSL -o /tmp/tally.tar.gz https://downloads.example.org/tally/tally-0.3.tar.gz && tar -xzf /tmp/tally.tar.gz -C /opt/tally --strip-components=1
RUN rm /tmp/tally.tar.gz
COPY app.conf /etc/app.conf
CMD ["cat", "/etc/app.conf"]
