# Believes that a second FROM is enough, and goes on from the first stage: all of it is below.
FROM nginx:alpine AS build
RUN apk add --no-cache gcc make musl-dev
WORKDIR /src
COPY . .
RUN make

FROM build
COPY --from=build /src/public/index.html /usr/share/nginx/html/index.html
WORKDIR /
