FROM nginx:alpine

RUN apk add --no-cache gcc make musl-dev

WORKDIR /src
COPY . .
RUN make
RUN cp public/index.html /usr/share/nginx/html/index.html

WORKDIR /
CMD ["nginx", "-g", "daemon off;"]
