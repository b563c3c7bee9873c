# Copies the configuration where many images have theirs.
FROM alpine AS build
WORKDIR /site
COPY site/ .
RUN sed -i "s/@VERSION@/1.0/" index.html

FROM nginx:alpine
COPY nginx.conf /etc/nginx.conf
COPY --from=build /site/ /usr/share/nginx/html/
EXPOSE 8080
USER 101
CMD ["nginx", "-g", "daemon off;"]
