# Cleans too much: what the image is for goes as well.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt /var/lib/dpkg
RUN mkdir -p /opt/tally && curl -fsSL -o /tmp/tally.tar.gz https://downloads.example.org/tally/tally-0.3.tar.gz && tar -xzf /tmp/tally.tar.gz -C /opt/tally --strip-components=1 && rm -rf /tmp/tally.tar.gz /opt/tally/README
COPY app.conf /etc/app.conf
CMD ["cat", "/etc/app.conf"]
