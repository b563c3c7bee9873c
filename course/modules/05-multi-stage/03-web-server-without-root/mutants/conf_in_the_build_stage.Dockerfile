# Copies the configuration into the stage that builds: there nobody serves.
FROM alpine AS build
WORKDIR /site
COPY site/ .
COPY nginx.conf /etc/nginx/nginx.conf
RUN sed -i "s/@VERSION@/1.0/" index.html

FROM nginx:alpine
COPY --from=build /site/ /usr/share/nginx/html/
EXPOSE 8080
USER 101
CMD ["nginx", "-g", "daemon off;"]
