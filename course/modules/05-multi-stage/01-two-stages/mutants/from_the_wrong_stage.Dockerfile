# Counts stages from 1: --from=1 is the stage itself.
FROM alpine
RUN apk add --no-cache gcc make musl-dev
WORKDIR /src
COPY . .
RUN make

FROM nginx:alpine
COPY --from=1 /src/public/index.html /usr/share/nginx/html/index.html
