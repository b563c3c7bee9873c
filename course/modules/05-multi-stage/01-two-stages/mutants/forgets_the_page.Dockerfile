# Believes that stages hand on what they made by themselves.
FROM alpine AS build
RUN apk add --no-cache gcc make musl-dev
WORKDIR /src
COPY . .
RUN make

FROM nginx:alpine
CMD ["nginx", "-g", "daemon off;"]
