# Changes the port and the configuration, and forgets who runs it.
FROM alpine AS build
WORKDIR /site
COPY site/ .
RUN sed -i "s/@VERSION@/1.0/" index.html

FROM nginx:alpine
COPY nginx.conf /etc/nginx/nginx.conf
COPY --from=build /site/ /usr/share/nginx/html/
EXPOSE 8080
CMD ["nginx", "-g", "daemon off;"]
