# Names the user, which nobody outside of the image can check.
FROM alpine AS build
WORKDIR /site
COPY site/ .
RUN sed -i "s/@VERSION@/1.0/" index.html

FROM nginx:alpine
COPY nginx.conf /etc/nginx/nginx.conf
COPY --from=build /site/ /usr/share/nginx/html/
EXPOSE 8080
USER nginx
CMD ["nginx", "-g", "daemon off;"]
