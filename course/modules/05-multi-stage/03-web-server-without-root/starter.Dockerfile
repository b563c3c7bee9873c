FROM alpine AS build
WORKDIR /site
COPY site/ .
RUN sed -i "s/@VERSION@/1.0/" index.html

FROM nginx:alpine
COPY --from=build /site/ /usr/share/nginx/html/
CMD ["nginx", "-g", "daemon off;"]
