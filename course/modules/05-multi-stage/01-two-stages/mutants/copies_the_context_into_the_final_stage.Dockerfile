# Has two stages, and copies the context into both, as it always did.
FROM alpine AS build
RUN apk add --no-cache gcc make musl-dev
WORKDIR /src
COPY . .
RUN make

FROM nginx:alpine
WORKDIR /src
COPY . .
COPY --from=build /src/public/index.html /usr/share/nginx/html/index.html
WORKDIR /
