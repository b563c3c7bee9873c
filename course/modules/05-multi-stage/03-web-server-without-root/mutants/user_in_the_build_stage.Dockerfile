# Sets the user at the top: it holds for the first stage alone.
FROM alpine AS build
WORKDIR /site
COPY site/ .
RUN chown 101 . index.html
USER 101
RUN sed -i "s/@VERSION@/1.0/" index.html

FROM nginx:alpine
COPY nginx.conf /etc/nginx/nginx.conf
COPY --from=build /site/ /usr/share/nginx/html/
EXPOSE 8080
CMD ["nginx", "-g", "daemon off;"]
