# Believes that what is removed at the end is not shipped.
FROM nginx:alpine
RUN apk add --no-cache gcc make musl-dev
WORKDIR /src
COPY . .
RUN make && cp public/index.html /usr/share/nginx/html/index.html
WORKDIR /
RUN apk del gcc make musl-dev && rm -rf /src
