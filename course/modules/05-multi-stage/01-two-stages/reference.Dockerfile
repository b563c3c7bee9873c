FROM alpine AS build
RUN apk add --no-cache gcc make musl-dev
WORKDIR /src
COPY . .
RUN make

FROM nginx:alpine
COPY --from=build /src/public/index.html /usr/share/nginx/html/index.html
CMD ["nginx", "-g", "daemon off;"]
