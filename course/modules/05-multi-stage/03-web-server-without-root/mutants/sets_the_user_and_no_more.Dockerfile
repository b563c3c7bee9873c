# Believes that a user is all that it takes: nginx cannot write its pid file.
FROM alpine AS build
WORKDIR /site
COPY site/ .
RUN sed -i "s/@VERSION@/1.0/" index.html

FROM nginx:alpine
COPY --from=build /site/ /usr/share/nginx/html/
USER 101
CMD ["nginx", "-g", "daemon off;"]
