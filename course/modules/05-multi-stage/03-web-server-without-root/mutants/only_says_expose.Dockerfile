# Believes that EXPOSE opens a port.
FROM alpine AS build
WORKDIR /site
COPY site/ .
RUN sed -i "s/@VERSION@/1.0/" index.html

FROM nginx:alpine
COPY --from=build /site/ /usr/share/nginx/html/
EXPOSE 8080
CMD ["nginx", "-g", "daemon off;"]
