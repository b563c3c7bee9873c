# Takes over the directory in which the page lies, to be sure: what made it comes along.
FROM alpine AS build
RUN apk add --no-cache gcc make musl-dev
WORKDIR /src
COPY . .
RUN make && strip generate && rm src/*.o

FROM nginx:alpine
COPY --from=build /src/Makefile /src/public/ /usr/share/nginx/html/
