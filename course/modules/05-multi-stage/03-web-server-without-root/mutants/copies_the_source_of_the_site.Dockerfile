# Copies the site from the context: what the first stage made of it is lost.
FROM alpine AS build
WORKDIR /site
COPY site/ .
RUN sed -i "s/@VERSION@/1.0/" index.html

FROM nginx:alpine
COPY nginx.conf /etc/nginx/nginx.conf
COPY site/ /usr/share/nginx/html/
EXPOSE 8080
USER 101
CMD ["nginx", "-g", "daemon off;"]
